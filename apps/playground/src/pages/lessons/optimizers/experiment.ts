import type { Experiment } from "../../../workers/lesson/experiment.js";
import { together } from "../../../workers/lesson/trained.js";
import { mapOf, onNetwork, onSurface, type Race } from "./race.js";
import { surfaces } from "./surfaces.js";

export interface Options {
  /** A surface's name, or the small network. */
  readonly on: string;
  /** Of all learning rates. */
  readonly factor: number;
}

/** The loss at each point of a surface's map, row by row from the top left: `side * side`. */
export interface HeightMap {
  readonly side: number;
  readonly heights: Float32Array;
}

export interface Frame {
  /** Steps taken. */
  readonly step: number;
  /** That it ends with. */
  readonly steps: number;
  /** By racer; null of those who have left all numbers behind. */
  readonly losses: readonly (number | null)[];
  /** Where they are, on a surface. */
  readonly positions?: readonly (readonly [number, number])[];
  /** In the first frame, on a surface. */
  readonly map?: HeightMap;
}

const surfaceSteps = 300;
const networkSteps = 150;

export const experiment: Experiment<Options, Frame> = async function* ({ on, factor }, lab) {
  const surface = surfaces.find(({ name }) => name === on);
  const race: Race = surface === undefined ? await onNetwork(lab, factor) : await onSurface(lab, surface, factor);
  using _ = together(race.racers);
  const map = surface && { map: await mapOf(lab, surface) };
  const steps = surface === undefined ? networkSteps : surfaceSteps;
  for (let step = 0; step <= steps; step++) {
    const seen = await race.take();
    yield { step, steps, ...seen, ...(step === 0 && map) };
  }
};
