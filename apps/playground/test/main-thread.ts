import type { CDPSession, Page } from "playwright";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ph: string;
  /** Microseconds of processor time. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * Watches the page's own thread. Tasks are measured by the processor's time that they took: on a machine that does other things, too, they
 * wait for it, and the clock says nothing of the page.
 */
export async function watchMainThread(
  page: Page,
): Promise<{ /** Of the longest task, in ms. */ end(): Promise<number> }> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "disabled-by-default-devtools.timeline"] },
  });
  return { end: () => longestTask(session, events) };
}

async function longestTask(session: CDPSession, events: readonly TraceEvent[]): Promise<number> {
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const threads = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(threadOf),
  );
  const tasks = events.filter(
    (event) => event.ph === "X" && /RunTask$/.test(event.name) && threads.has(threadOf(event)),
  );
  if (tasks.length === 0) throw new Error("the browser's trace has no task of the page's thread");
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}

const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
