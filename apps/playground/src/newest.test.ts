import { expect, test } from "vitest";
import { Newest } from "./newest.js";

/** A question that is answered by hand. */
function question<T>() {
  let [answer, fail]: [(value: T) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((resolve, reject) => {
    [answer, fail] = [resolve, reject];
  });
  let asked = false;
  const ask = (): Promise<T> => {
    asked = true;
    return promise;
  };
  return { ask, answer: (value: T) => answer(value), fail: (error: Error) => fail(error), wasAsked: () => asked };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test("of questions that wait, the newest alone is asked", async () => {
  const newest = new Newest<number>();
  const [first, second, third] = [question<number>(), question<number>(), question<number>()];
  for (const { ask } of [first, second, third]) newest.ask(ask);
  first.answer(1);
  await settled();
  expect(newest.state.value).toEqual({ value: 1, busy: true, error: undefined });
  expect([second.wasAsked(), third.wasAsked()]).toEqual([false, true]);
  third.answer(3);
  await settled();
  expect(newest.state.value).toEqual({ value: 3, busy: false, error: undefined });
});

test("an error stands beside the last answer until the next one, and the next question is asked all the same", async () => {
  const newest = new Newest<number>();
  const [good, bad, better] = [question<number>(), question<number>(), question<number>()];
  newest.ask(good.ask);
  good.answer(1);
  await settled();
  newest.ask(bad.ask);
  const error = new Error("lost");
  bad.fail(error);
  await settled();
  expect(newest.state.value).toEqual({ value: 1, busy: false, error });
  newest.ask(better.ask);
  expect(newest.state.value).toEqual({ value: 1, busy: true, error });
  better.answer(2);
  await settled();
  expect(newest.state.value).toEqual({ value: 2, busy: false, error: undefined });
});

test("what was cleared does not come back, and the next question does not wait for it", async () => {
  const newest = new Newest<number>();
  const [old, next] = [question<number>(), question<number>()];
  newest.ask(old.ask);
  newest.clear();
  newest.ask(next.ask);
  expect(next.wasAsked()).toBe(true);
  old.answer(1);
  await settled();
  expect(newest.state.value).toEqual({ value: undefined, busy: true, error: undefined });
  next.answer(2);
  await settled();
  expect(newest.state.value).toEqual({ value: 2, busy: false, error: undefined });
});
