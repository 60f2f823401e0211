type Range = readonly [number, number];

/** A loss of two parameters that one can look down on; heights.ts computes it. */
export interface Surface {
  readonly name: "ravine" | "rosenbrock" | "beale" | "himmelblau" | "saddle" | "waves";
  readonly title: string;
  /** What is hard about it. */
  readonly about: string;
  /** The part that is drawn. */
  readonly x: Range;
  readonly y: Range;
  readonly start: readonly [number, number];
  readonly minima: readonly (readonly [number, number])[];
  /** Learning rates that work here: of those who step by the gradient, and of those who divide it by its size. */
  readonly rates: { readonly gradient: number; readonly adaptive: number };
}

export const surfaces: readonly Surface[] = [
  {
    name: "ravine",
    title: "A ravine",
    about: "A quadratic bowl that is 50 times steeper across than along.",
    x: [-10, 3.5],
    y: [-3, 3],
    start: [-9, 2],
    minima: [[0, 0]],
    rates: { gradient: 0.02, adaptive: 0.2 },
  },
  {
    name: "rosenbrock",
    title: "Rosenbrock's banana",
    about: "A curved valley: easy to enter, slow to follow to its lowest point (Rosenbrock 1960).",
    x: [-2, 2],
    y: [-1, 3],
    start: [-1.5, 2.2],
    minima: [[1, 1]],
    rates: { gradient: 0.001, adaptive: 0.05 },
  },
  {
    name: "beale",
    title: "Beale's plateau",
    about: "Steep walls around a nearly flat floor (Beale 1958).",
    x: [-3, 4.5],
    y: [-2.5, 2.5],
    start: [0.6, 1.6],
    minima: [[3, 0.5]],
    rates: { gradient: 0.005, adaptive: 0.05 },
  },
  {
    name: "himmelblau",
    title: "Himmelblau's four valleys",
    about: "Four minima, equally deep: where one ends depends on the way (Himmelblau 1972).",
    x: [-5, 5],
    y: [-5, 5],
    start: [-0.4, -1.2],
    minima: [
      [3, 2],
      [-2.805118, 3.131312],
      [-3.77931, -3.283186],
      [3.584428, -1.848126],
    ],
    rates: { gradient: 0.005, adaptive: 0.1 },
  },
  {
    name: "saddle",
    title: "A saddle",
    about: "The way down leads onto a pass that is flat in every direction, and from there to either side.",
    x: [-2.5, 2.5],
    y: [-2, 2],
    start: [-2, 0.001],
    minima: [
      [0, Math.SQRT2],
      [0, -Math.SQRT2],
    ],
    rates: { gradient: 0.02, adaptive: 0.05 },
  },
  {
    name: "waves",
    title: "Waves",
    about: "A bowl with ripples: many local minima on the way to the lowest one (after Rastrigin 1974).",
    x: [-5, 3],
    y: [-4, 4],
    start: [-4.2, 3.1],
    minima: [[0, 0]],
    rates: { gradient: 0.02, adaptive: 0.1 },
  },
];
