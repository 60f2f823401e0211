import { FormatError } from "@ocelli/core";

export interface CsvRow {
  /** Of the row's beginning, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** One field with what ends it: quoted (a doubled quote is one) or plain. Without choices inside a loop: those fill the stack on long fields. */
const field = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/**
 * The rows of comma-separated values (RFC 4180); empty lines are left out.
 * @throws FormatError with the line, for a quote that is not closed or stands within a field
 */
export function parseCsv(file: string, text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let fields: string[] = [];
  let line = 1;
  let first = 1;
  // A byte order mark is no part of the first field.
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null)
      throw new FormatError(`${file}: line ${line}: a quote is not closed, or stands within a field`, { file, line });
    const [whole, quoted, plain, end] = match;
    fields.push(quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"'));
    at += whole.length;
    line += whole.split(/\r\n|\n|\r/).length - 1;
    if (end === "," && at < text.length) continue;
    if (end === ",") fields.push("");
    if (fields.length > 1 || fields[0] !== "") rows.push({ line: first, fields });
    fields = [];
    first = line;
  }
  return rows;
}
