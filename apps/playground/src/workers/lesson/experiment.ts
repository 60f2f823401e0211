import type { Device } from "@ocelli/core";

/** What an experiment computes with. Devices are opened when they are first asked for. */
export interface Lab {
  /** WebGPU, else WebAssembly. */
  fast(): Promise<Device>;
  /** Loops in float64, for what is tiny: nothing to compile. */
  exact(): Promise<Device>;
}

/**
 * What there is to see, frame after frame. Whoever watches asks for the next one: to run is to ask again and again, to pause is not to
 * ask, to step is to ask once. What it holds is freed when it is left early, too (`using`).
 */
export type Experiment<Options, Frame> = (options: Options, lab: Lab) => AsyncGenerator<Frame, void, undefined>;
