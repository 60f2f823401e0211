import { cifar10Classes, digitClasses } from "@ocelli/training";
import type { WeightsEntry } from "@ocelli/zoo";

/** Names of a standard set's classes. */
export async function knownClasses(kind: WeightsEntry["classes"]): Promise<readonly string[]> {
  if (kind === "imagenet") return (await import("@ocelli/zoo/imagenet")).imagenetClasses;
  return kind === "cifar10" ? cifar10Classes : digitClasses;
}
