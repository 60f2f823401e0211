import type { ComponentType } from "preact";

export interface LessonEntry {
  /** In addresses. */
  readonly name: string;
  readonly title: string;
  /** What one knows afterwards. */
  readonly teaches: string;
  readonly minutes: number;
  /** A lesson is loaded when it is opened. */
  readonly load: () => Promise<{ readonly Lesson: ComponentType }>;
}

export const catalogue: readonly LessonEntry[] = [
  {
    name: "receptive-field",
    title: "Three 3×3 against one 7×7",
    teaches: "What a pixel of a feature map sees, and why deep stacks of small filters took the place of large ones.",
    minutes: 5,
    load: () => import("./receptive-field/lesson.js"),
  },
  {
    name: "inception",
    title: "Naive against reduced inception",
    teaches: "How 1×1 convolutions make a wide module three times cheaper, and how to check a printed total.",
    minutes: 5,
    load: () => import("./inception/lesson.js"),
  },
  {
    name: "residual",
    title: "Plain against residual",
    teaches: "Why deeper plain networks train worse, and what a shortcut does to the gradient.",
    minutes: 8,
    load: () => import("./residual/lesson.js"),
  },
  {
    name: "dropout",
    title: "Dropout and stochastic depth",
    teaches: "How leaving out parts at random narrows the gap between training and test, as if many networks voted.",
    minutes: 8,
    load: () => import("./dropout/lesson.js"),
  },
  {
    name: "optimizers",
    title: "Optimizers racing on one loss",
    teaches: "How SGD, momentum and the adaptive rules move, and what the learning rate does to each.",
    minutes: 7,
    load: () => import("./optimizers/lesson.js"),
  },
  {
    name: "activations",
    title: "Initialisation and normalisation",
    teaches:
      "What initial weights, batch-norm and local response normalisation do to activations and gradients, layer by layer.",
    minutes: 10,
    load: () => import("./activations/lesson.js"),
  },
];
