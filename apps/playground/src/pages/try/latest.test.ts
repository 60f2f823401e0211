import { expect, test } from "vitest";
import { Latest } from "./latest.js";

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
  const latest = new Latest<number>();
  const [first, second, third] = [question<number>(), question<number>(), question<number>()];
  for (const { ask } of [first, second, third]) latest.ask(ask);
  first.answer(1);
  await settled();
  expect(latest.state.value).toEqual({ value: 1, busy: true, error: undefined });
  expect([second.wasAsked(), third.wasAsked()]).toEqual([false, true]);
  third.answer(3);
  await settled();
  expect(latest.state.value).toEqual({ value: 3, busy: false, error: undefined });
});

test("an error stands until the next answer, and the next question is asked all the same", async () => {
  const latest = new Latest<number>();
  const [bad, good] = [question<number>(), question<number>()];
  latest.ask(bad.ask);
  bad.fail(new Error("lost"));
  await settled();
  expect(latest.state.value.error?.message).toBe("lost");
  latest.ask(good.ask);
  good.answer(2);
  await settled();
  expect(latest.state.value).toEqual({ value: 2, busy: false, error: undefined });
});

test("what was cleared does not come back, and later questions are answered", async () => {
  const latest = new Latest<number>();
  const [old, next] = [question<number>(), question<number>()];
  latest.ask(old.ask);
  latest.clear();
  latest.ask(next.ask);
  old.answer(1);
  await settled();
  expect(latest.state.value.value).toBeUndefined();
  next.answer(2);
  await settled();
  expect(latest.state.value).toEqual({ value: 2, busy: false, error: undefined });
});

test("an answer about a network that is gone changes nothing", async () => {
  const latest = new Latest<number>();
  const [good, stale] = [question<number>(), question<number>()];
  latest.ask(good.ask);
  good.answer(1);
  await settled();
  latest.ask(stale.ask);
  stale.fail(Object.assign(new Error(), { name: "StaleError" }));
  await settled();
  expect(latest.state.value).toEqual({ value: 1, busy: false, error: undefined });
});
