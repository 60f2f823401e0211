/** A value together with TypeScript that makes it, so that what is built and what is taken away cannot differ. */
export interface Written<Value> {
  readonly value: Value;
  readonly text: string;
  /** Names that the text needs. */
  readonly imports: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: any class; its arguments are checked by itself.
type Class<Value> = new (...args: any[]) => Value;

/** What JSON can hold. */
export function literal<Value>(value: Value): Written<Value> {
  return { value, text: source(value), imports: [] };
}

/** As a person writes it: keys without quotes, a space behind commas. */
function source(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(source).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return fields.length === 0
    ? "{}"
    : `{ ${fields.map(([key, field]) => `${keyed(key)}: ${source(field)}`).join(", ")} }`;
}

const keyed = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key));

/** A class handed on. `{ BasicBlock }`: a bundler shortens a class's own name, a key's it leaves alone. */
export function reference<Value>(named: Readonly<Record<string, Value>>): Written<Value> {
  const [[name, value]] = Object.entries(named) as [[string, Value]];
  return { value, text: name, imports: [name] };
}

/** `new Class(...args)`; trailing empty options are left out. */
export function construct<Value>(
  named: Readonly<Record<string, Class<Value>>>,
  ...args: readonly Written<unknown>[]
): Written<Value> {
  const { value: Made, text, imports } = reference(named);
  const shown = args.at(-1)?.text === "{}" ? args.slice(0, -1) : args;
  return {
    value: new Made(...args.map(({ value }) => value)),
    text: `new ${text}(${shown.map((arg) => arg.text).join(", ")})`,
    imports: [...new Set([...imports, ...args.flatMap((arg) => arg.imports)])],
  };
}

/** Several in one array. */
export function list<Value>(items: readonly Written<Value>[]): Written<readonly Value[]> {
  return {
    value: items.map(({ value }) => value),
    text: `[${items.map(({ text }) => text).join(", ")}]`,
    imports: [...new Set(items.flatMap(({ imports }) => imports))],
  };
}
