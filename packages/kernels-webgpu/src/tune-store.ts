/** What was measured, kept between programs and processes. */

/** Keeps choices of one device: a plain JSON value for each shape class. Never throws: what cannot be kept is measured again. */
export interface ChoiceStore {
  load(device: string): Promise<ReadonlyMap<string, unknown>>;
  /** Adds to what is there. */
  save(device: string, choices: ReadonlyMap<string, unknown>): Promise<void>;
}

/** Raised when files of before can no longer be read. */
const format = 1;
/** More classes than any set of models has; beyond, the oldest go. */
const mostChoices = 4096;

/** What is written of a device's choices. */
export function choicesText(device: string, choices: ReadonlyMap<string, unknown>): string {
  return `${JSON.stringify({ format, device, choices: Object.fromEntries(choices) }, null, 1)}\n`;
}

/** Choices from a text that may be damaged or another device's: then there are none. */
export function parsedChoices(device: string, text: string): Map<string, unknown> {
  try {
    return checkedChoices(device, JSON.parse(text));
  } catch {
    return new Map();
  }
}

function checkedChoices(device: string, value: unknown): Map<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map();
  const { format: found, device: of, choices } = value as Readonly<Record<string, unknown>>;
  const fits = found === format && of === device && typeof choices === "object" && choices !== null;
  return fits && !Array.isArray(choices) ? new Map(Object.entries(choices as object)) : new Map();
}

/** `old` with `added` after it, so that the oldest are dropped first. */
export function joinedChoices(
  old: ReadonlyMap<string, unknown>,
  added: ReadonlyMap<string, unknown>,
): Map<string, unknown> {
  const joined = new Map([...old].filter(([key]) => !added.has(key)));
  for (const [key, value] of added) joined.set(key, value);
  return new Map([...joined].slice(-mostChoices));
}

/** Keeps nothing beyond its own life. */
export function memoryChoices(): ChoiceStore {
  const kept = new Map<string, Map<string, unknown>>();
  return {
    load: async (device) => kept.get(device) ?? new Map(),
    save: async (device, choices) => {
      kept.set(device, joinedChoices(kept.get(device) ?? new Map(), choices));
    },
  };
}
