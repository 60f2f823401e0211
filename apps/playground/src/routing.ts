import { signal } from "@preact/signals";
import { useHashLocation } from "wouter-preact/use-hash-location";
import { currentModel, currentTraining } from "./state.js";

/** The page's path, from the address's fragment without what follows a question mark: the configuration that a link brings along. */
export const useLocation: typeof useHashLocation = Object.assign(
  (options?: Parameters<typeof useHashLocation>[0]): ReturnType<typeof useHashLocation> => {
    const [location, navigate] = useHashLocation(options);
    return [location.split("?")[0] as string, navigate];
  },
  // How links are written: the type keeps it to itself.
  { hrefs: (useHashLocation as unknown as { readonly hrefs: (path: string) => string }).hrefs },
);

/** Why the link that opened the page could not be followed. */
export const linkProblem = signal<string | undefined>(undefined);

/** Takes over what a shared link holds, at the start and whenever the address changes. Resolves when that of the start is taken over. */
export async function followLinks(): Promise<void> {
  addEventListener("hashchange", () => void follow());
  await follow();
}

async function follow(): Promise<void> {
  const text = new URLSearchParams(location.hash.split("?")[1] ?? "").get("c");
  // A problem is that of its address alone.
  linkProblem.value = undefined;
  if (text === null) return;
  try {
    // Knows all networks, which the start page does not need.
    const { decodeConfiguration } = await import("./model/share.js");
    const { model, training } = decodeConfiguration(text);
    currentModel.value = model;
    if (training !== undefined) currentTraining.value = training;
  } catch (error) {
    linkProblem.value = (error as Error).message;
  }
}
