import type { ChoiceStore } from "./tune-store.js";

/** What differs between Node and browsers. */
export interface Platform {
  /** WebGPU's entry point. @throws DeviceError that says what is missing and how to add it */
  gpu(): Promise<GPU>;
  /** What to do where there is WebGPU, but nothing that it could run on. */
  readonly noAdapter: () => string;
  /** Versions of what runs below. */
  readonly versions: () => Readonly<Record<string, string>>;
  /** Where measured choices are kept. */
  readonly choices: () => ChoiceStore;
}
