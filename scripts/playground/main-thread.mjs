// What a page's own thread is busy with, by Chromium's tracing; `page` is Playwright's.

/** What the page's code asks of its thread: its scripts, and the styles and layout that they bring. */
const ofThePage = new Set([
  ...["EvaluateScript", "EventDispatch", "FireAnimationFrame", "FunctionCall", "HandlePostMessage", "TimerFire"],
  ...["UpdateLayoutTree", "Layout"],
]);

/**
 * Watches the page's own thread. Its work is measured by the processor's time that it took: on a machine that does other things, too, it
 * waits for it, and the clock says nothing of the page. Painting and handing pictures on are left out: where a processor plays the graphics
 * card, they wait for that. `end()` gives each piece of work in ms, the longest first.
 */
export async function watchMainThread(page) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["devtools.timeline"] },
  });
  return { end: () => workOf(session, events) };
}

async function workOf(session, events) {
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const threads = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(threadOf),
  );
  const work = events.filter((event) => event.ph === "X" && ofThePage.has(event.name) && threads.has(threadOf(event)));
  return outermost(work)
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a);
}

/** Without what is part of another piece: a message brings a call, a call brings layout. */
function outermost(work) {
  const ends = new Map();
  return [...work]
    .sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0))
    .filter((event) => {
      const thread = threadOf(event);
      if (event.ts < (ends.get(thread) ?? 0)) return false;
      ends.set(thread, event.ts + (event.dur ?? 0));
      return true;
    });
}

const threadOf = ({ pid, tid }) => `${pid} ${tid}`;
