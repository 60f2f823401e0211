import { ArgumentError } from "@ocelli/core";

/**
 * How often each class was taken for each: `[true, predicted]`, row-major, `classes * classes` counts. A prediction of -1 (the logits
 * were no finite numbers) is counted nowhere.
 * @throws ArgumentError when the counts differ or a class is out of range
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): Int32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(classes) || classes < 1)
    throw new ArgumentError(`confusionMatrix: classes is ${classes}; it needs a whole number, 1 or more`);
  if (labels.length !== predicted.length) {
    throw new ArgumentError(
      `confusionMatrix: there are ${labels.length} labels and ${predicted.length} predictions; they need as many`,
    );
  }
  const matrix = new Int32Array(classes * classes);
  for (let i = 0; i < labels.length; i++) {
    const [label, guess] = [labels[i] as number, predicted[i] as number];
    checkClass("label", label, i, { least: 0, classes });
    checkClass("prediction", guess, i, { least: -1, classes });
    if (guess >= 0) matrix[label * classes + guess] = (matrix[label * classes + guess] as number) + 1;
  }
  return matrix;
}

function checkClass(
  what: string,
  value: number,
  index: number,
  { least, classes }: { readonly least: number; readonly classes: number },
): void {
  if (Number.isInteger(value) && value >= least && value < classes) return;
  throw new ArgumentError(`confusionMatrix: ${what} ${value} of sample ${index} is outside the ${classes} classes`, {
    value,
    index,
    classes,
  });
}

/** How well one class is told from the others. NaN (null in JSON) where there is nothing to divide by. */
export interface ClassScores {
  /** Share of those taken for this class that are of it; NaN when none was taken for it. */
  readonly precision: number;
  /** Share of this class that is taken for it; NaN when there is none of it. */
  readonly recall: number;
  /** Harmonic mean of the two, 2 tp / (2 tp + fp + fn); NaN when the class neither occurs nor is predicted. */
  readonly f1: number;
  /** Samples of this class. */
  readonly support: number;
}

/** Scores of each class. @throws ArgumentError unless the matrix is `classes` squared */
export function perClass(matrix: ArrayLike<number>, classes: number): ClassScores[] {
  if (matrix.length !== classes * classes) {
    throw new ArgumentError(
      `perClass: the matrix has ${matrix.length} counts; ${classes} classes need ${classes * classes}`,
    );
  }
  return Array.from({ length: classes }, (_, c) => {
    let support = 0;
    let taken = 0;
    for (let other = 0; other < classes; other++) {
      support += matrix[c * classes + other] as number;
      taken += matrix[other * classes + c] as number;
    }
    const right = matrix[c * classes + c] as number;
    return { precision: right / taken, recall: right / support, f1: (2 * right) / (taken + support), support };
  });
}
