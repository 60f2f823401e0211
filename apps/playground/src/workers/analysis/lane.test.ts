import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Lane, Superseded } from "./lane.js";

/** Answers after so many milliseconds, like a worker: one thing at a time is the lane's affair. */
class Slow {
  static closed = 0;
  readonly asked: string[] = [];

  answer(name: string, milliseconds: number): Promise<string> {
    this.asked.push(name);
    return new Promise((resolve) => setTimeout(() => resolve(name), milliseconds));
  }
}

const slow = (): { readonly lane: Lane<Slow>; readonly apis: Slow[] } => {
  const apis: Slow[] = [];
  const lane = new Lane(() => {
    const api = new Slow();
    apis.push(api);
    return { api, close: () => Slow.closed++ };
  });
  return { lane, apis };
};

beforeEach(() => {
  vi.useFakeTimers();
  Slow.closed = 0;
});
afterEach(() => vi.useRealTimers());

describe("a lane", () => {
  it("answers, and opens one worker, when it is asked first", async () => {
    const { lane, apis } = slow();
    expect(apis).toHaveLength(0);
    for (const name of ["a", "b"]) {
      const answer = lane.ask((api) => api.answer(name, 10));
      await vi.advanceTimersByTimeAsync(10);
      expect(await answer).toBe(name);
    }
    expect(apis).toHaveLength(1);
  });

  it("gives the newest question its answer and passes over those between", async () => {
    const { lane, apis } = slow();
    const outcomes: unknown[] = [];
    for (const name of ["a", "b", "c"])
      lane
        .ask((api) => api.answer(name, 100))
        .then(
          (answer) => outcomes.push(answer),
          (error: unknown) => outcomes.push(error instanceof Superseded),
        );
    await vi.advanceTimersByTimeAsync(250);
    expect(outcomes).toEqual([true, true, "c"]);
    expect(apis[0]?.asked).toEqual(["a", "c"]);
    expect(Slow.closed).toBe(0);
  });

  it("ends a worker that computes what nobody wants any more", async () => {
    const { lane, apis } = slow();
    lane.ask((api) => api.answer("long", 60_000)).catch(() => undefined);
    const answer = lane.ask((api) => api.answer("short", 10));
    await vi.advanceTimersByTimeAsync(500);
    expect(await answer).toBe("short");
    expect([apis.length, Slow.closed]).toEqual([2, 1]);
  });

  it("goes on after an error", async () => {
    const { lane } = slow();
    await expect(lane.ask(() => Promise.reject(new Error("bad")))).rejects.toThrow("bad");
    const answer = lane.ask((api) => api.answer("good", 1));
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toBe("good");
  });

  it("tells a question that its worker broke down, and asks the next one of another", async () => {
    let breakDown = (): void => undefined;
    let opened = 0;
    const lane = new Lane(() => {
      opened++;
      const broken = new Promise<never>((_, reject) => {
        breakDown = () => reject(new Error("broke down"));
      });
      return { api: new Slow(), broken, close: () => undefined };
    });
    const never = lane.ask((api) => api.answer("never", 60_000));
    breakDown();
    await expect(never).rejects.toThrow("broke down");
    const answer = lane.ask((api) => api.answer("next", 10));
    await vi.advanceTimersByTimeAsync(10);
    expect([await answer, opened]).toEqual(["next", 2]);
  });
});
