/** Base of every error that ocelli throws on purpose. `fields` holds the values that the message prints. */
export class OcelliError extends Error {
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = new.target.name;
    this.fields = fields;
  }
}

/** Shapes that do not fit an op, a layer or a file. */
export class ShapeError extends OcelliError {}

/** An element type that an op or a file format does not take. */
export class DTypeError extends OcelliError {}

/** An argument out of its range or of the wrong kind. */
export class ArgumentError extends OcelliError {}

/** A gradient that does not exist or is refused. */
export class GradientError extends OcelliError {}

/** State that is missing, superfluous or does not fit a model. */
export class StateError extends OcelliError {}

/** Use of something that was disposed. */
export class DisposedError extends OcelliError {}

/** A device that is missing, cannot do what was asked, or failed while running. */
export class DeviceError extends OcelliError {}

/** A file that is damaged, truncated or not what it says it is. */
export class FormatError extends OcelliError {}

/** The `limit` names nearest to `name` (edit distance at most a third of its length, or a shared ending). */
export function nearMatches(name: string, candidates: Iterable<string>, limit = 3): string[] {
  const scored: [number, string][] = [];
  const last = name.slice(name.lastIndexOf(".") + 1);
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    const nested = candidate.endsWith(`.${name}`) || name.endsWith(`.${candidate}`);
    const sameLeaf = last !== name && candidate.endsWith(`.${last}`);
    const bound = Math.max(2, Math.floor(name.length / 3));
    if (nested) scored.push([0, candidate]);
    else if (distance <= bound && (sameLeaf || last === name || distance <= 2)) scored.push([distance, candidate]);
  }
  scored.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
  return scored.slice(0, limit).map(([, candidate]) => candidate);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
