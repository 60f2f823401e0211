import { useRef, useState } from "preact/hooks";

/** Something that takes a while, and what came of it. */
export interface Task<Value> {
  /** What is under way. */
  readonly busy: string | undefined;
  readonly value: Value | undefined;
  readonly error: Error | undefined;
  /** @param what for the reader: "Writing the ONNX file" */
  run(what: string, work: () => Promise<Value>): void;
  clear(): void;
}

type Standing<Value> = Pick<Task<Value>, "busy" | "value" | "error">;

const nothing = { busy: undefined, value: undefined, error: undefined };

/** One thing at a time: of two, the later one counts. */
export function useTask<Value>(): Task<Value> {
  const [standing, setStanding] = useState<Standing<Value>>(nothing);
  const newest = useRef(0);
  const run = (what: string, work: () => Promise<Value>): void => {
    const mine = ++newest.current;
    const end = (result: Partial<Standing<Value>>): void => {
      if (newest.current === mine) setStanding({ ...nothing, ...result });
    };
    setStanding({ ...nothing, busy: what });
    work().then(
      (value) => end({ value }),
      (error: Error) => end({ error }),
    );
  };
  const clear = (): void => {
    newest.current++;
    setStanding(nothing);
  };
  return { ...standing, run, clear };
}
