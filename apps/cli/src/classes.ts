import { cifar10Classes, digitClasses } from "@ocelli/training";
import type { WeightsEntry } from "@ocelli/zoo";

/** Names of the classes that weights know; undefined where there are not as many. */
export async function classNames(
  kind: WeightsEntry["classes"],
  count: number | undefined,
): Promise<readonly string[] | undefined> {
  const names = await lists[kind]();
  return names.length === count ? names : undefined;
}

const lists: Readonly<Record<WeightsEntry["classes"], () => Promise<readonly string[]>>> = {
  imagenet: async () => (await import("@ocelli/zoo/imagenet")).imagenetClasses,
  cifar10: async () => cifar10Classes,
  digits: async () => digitClasses,
};
