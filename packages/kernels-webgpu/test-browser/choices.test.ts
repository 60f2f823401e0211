import { afterEach, expect, it } from "vitest";
import { databaseChoices } from "../src/tune-store.web.js";

const name = "ocelli-webgpu-test";
const choices = (...names: string[]): Map<string, unknown> => new Map(names.map((key) => [key, { tile: [8, 8] }]));

afterEach(async () => {
  const request = indexedDB.deleteDatabase(name);
  await new Promise((resolve) => {
    request.onsuccess = resolve;
    request.onerror = resolve;
    request.onblocked = resolve;
  });
});

it("choices outlive the page's own memory, and two tabs do not lose each other's", async () => {
  const [first, second] = [databaseChoices(name), databaseChoices(name)];
  await Promise.all([first.save("a", choices("x")), second.save("a", choices("y")), first.save("b", choices("z"))]);
  const later = databaseChoices(name);
  expect(new Map([...(await later.load("a"))].sort())).toEqual(choices("x", "y"));
  expect(await later.load("b")).toEqual(choices("z"));
  expect(await later.load("c")).toEqual(new Map());
});

it("a table that is not there is no failure", async () => {
  const request = indexedDB.open(name, 1);
  const database = await new Promise<IDBDatabase>((resolve) => {
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  const store = databaseChoices(name);
  await store.save("a", choices("x"));
  expect(await store.load("a")).toEqual(choices("x"));
});
