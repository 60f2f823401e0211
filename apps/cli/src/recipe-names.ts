// Alone in a file, because `--help` names them and loads nothing else.

/** What `--optimizer` may name. */
export const optimizerNames = ["sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "nadam", "lars"] as const;

/** What `--schedule` may name. */
export const scheduleNames = [
  "constant",
  "step",
  "multi-step",
  "exponential",
  "polynomial",
  "cosine",
  "one-cycle",
  "cyclic",
  "plateau",
] as const;

export type ScheduleName = (typeof scheduleNames)[number];
