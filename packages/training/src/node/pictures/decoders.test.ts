import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { startDecoders } from "./decoders.js";

/** A thread that answers with the time it was asked, and ends at a file called `die`, or at `die once` if it is the first thread. */
function fakes(): { start: () => Worker; started: () => number } {
  let started = 0;
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    parentPort.on("message", (job) => {
      if ("cancel" in job) return;
      if (job.files.includes("die")) throw new Error("out of luck");
      if (job.files.includes("die once") && workerData === 1) process.exit(7);
      if (job.files.includes("never")) return;
      const images = Uint8Array.of(workerData);
      parentPort.postMessage({ id: job.id, sizes: new Uint32Array(0), images, broken: [] });
    });`;
  return { start: () => new Worker(code, { eval: true, workerData: ++started }), started: () => started };
}

const task = (...files: string[]) => ({ kind: "measure" as const, files, maxPixels: 1 });

describe("decoding threads", () => {
  it("start when they are needed, and share the work", async () => {
    const { start, started } = fakes();
    const decoders = startDecoders(2, start);
    expect(started()).toBe(0);
    const replies = await Promise.all(["a", "b", "c"].map((file) => decoders.run(task(file), () => {}).reply));
    expect(started()).toBe(2);
    expect(new Set(replies.map(({ images }) => images[0]))).toEqual(new Set([1, 2]));
  });

  it("are replaced when they end, and what they had is done again", async () => {
    const { start, started } = fakes();
    const decoders = startDecoders(1, start);
    const lines: string[] = [];
    const jobs = [["a"], ["die once"], ["b"]].map((files) => decoders.run(task(...files), (line) => lines.push(line)));
    const replies = await Promise.all(jobs.map(({ reply }) => reply));
    expect(replies.at(-1)?.images[0]).toBe(2);
    expect(lines).toEqual(["a thread that decodes pictures ended (exit code 7); another one goes on"]);
    expect(started()).toBe(2);
  });

  it("fail a job at which two of them ended, and go on with the others", async () => {
    const { start } = fakes();
    const decoders = startDecoders(1, start);
    const bad = decoders.run(task("die", "x"), () => {});
    await expect(bad.reply).rejects.toThrow(
      "the thread that decodes pictures ended twice (out of luck) at die and 1 more",
    );
    await expect(decoders.run(task("a"), () => {}).reply).resolves.toMatchObject({ broken: [] });
  });

  it("drop what is cancelled", async () => {
    const decoders = startDecoders(1, fakes().start);
    const never = decoders.run(task("never"), () => {});
    setTimeout(() => never.cancel(new Error("enough")), 5);
    await expect(never.reply).rejects.toThrow("enough");
    never.cancel(new Error("again"));
    await expect(decoders.run(task("a"), () => {}).reply).resolves.toMatchObject({ broken: [] });
  });
});
