export interface AheadOptions<T> {
  readonly from: number;
  readonly to: number;
  /** Items begun before they are asked for. */
  readonly prefetch: number;
  /**
   * Makes an item; the signal is aborted when nobody wants it any more. What is made at once, on this thread, waits for a free turn of
   * the event loop, that is, for the caller to wait for a device (`"turn by turn"`); what others make is begun without delay.
   */
  readonly make: (index: number, signal: AbortSignal) => Promise<T>;
  readonly begin: "at once" | "turn by turn";
}

/** Items `from..to-1`, in order. At most `prefetch` of them exist or are being made besides the one that was handed out last. */
export function ahead<T>({ from, to, prefetch, make, begin }: AheadOptions<T>): AsyncIterator<T, undefined> {
  const begun: Promise<T>[] = [];
  const making = new Set<AbortController>();
  let next = from;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const start = (): Promise<T> => {
    const stopper = new AbortController();
    making.add(stopper);
    const item = make(next++, stopper.signal);
    const done = (): boolean => making.delete(stopper);
    // Who asks for it sees its error; nobody may ask any more.
    item.then(done, done);
    return item;
  };
  const fill = (): void => {
    timer = undefined;
    const most = begin === "at once" ? prefetch : Math.min(prefetch, begun.length + 1);
    while (begun.length < most && next < to) begun.push(start());
    if (begun.length < prefetch && next < to) later();
  };
  const later = (): void => {
    timer ??= setTimeout(fill, 0);
  };
  const stop = (): void => {
    clearTimeout(timer);
    begun.length = 0;
    next = to;
    for (const stopper of making) stopper.abort();
  };
  return {
    async next() {
      if (begun.length === 0 && next >= to) return { done: true, value: undefined };
      const item = begun.shift() ?? start();
      if (begin === "at once") fill();
      else later();
      try {
        return { done: false, value: await item };
      } catch (error) {
        stop();
        throw error;
      }
    },
    async return() {
      stop();
      return { done: true, value: undefined };
    },
  };
}
