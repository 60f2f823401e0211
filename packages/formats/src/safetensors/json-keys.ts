/** A key of a JSON object, as it stands in the text. */
export interface JsonKey {
  readonly key: string;
  /** Index in the text of the key's opening quote. */
  readonly position: number;
}

/** What {@link scanKeys} found. */
export interface KeyScan {
  /** Keys of the outermost object, in the order of the text (`JSON.parse` moves keys like "0" to the front). */
  readonly keys: readonly JsonKey[];
  /** The first key, of any object in the text, that its object already has (`JSON.parse` keeps the last silently). */
  readonly duplicate: JsonKey | undefined;
}

/**
 * Finds the keys that `JSON.parse` hides. Iterative: nesting costs no stack.
 * @param text JSON that `JSON.parse` has accepted; on anything else the result means nothing
 */
export function scanKeys(text: string): KeyScan {
  const keys: JsonKey[] = [];
  let duplicate: JsonKey | undefined;
  // One entry for each open bracket: the keys seen so far, or undefined inside an array.
  const open: (Set<string> | undefined)[] = [];
  let position = 0;
  while (position < text.length) {
    const char = text[position];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    if (char !== '"') {
      position++;
      continue;
    }
    const end = endOfString(text, position);
    const seen = open[open.length - 1];
    if (seen !== undefined && isKey(text, end)) {
      const key: JsonKey = { key: JSON.parse(text.slice(position, end)) as string, position };
      if (open.length === 1) keys.push(key);
      if (seen.has(key.key)) duplicate ??= key;
      seen.add(key.key);
    }
    position = end;
  }
  return { keys, duplicate };
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let position = start + 1;
  while (position < text.length && text[position] !== '"') position += text[position] === "\\" ? 2 : 1;
  return position + 1;
}

/** Whether a colon follows: in an object, only keys have one. */
function isKey(text: string, end: number): boolean {
  let position = end;
  while (position < text.length && " \t\r\n".includes(text[position] as string)) position++;
  return text[position] === ":";
}
