import { expect, test } from "vitest";
import {
  draftProblem,
  emptyDraft,
  labelledFiles,
  renamed,
  sorted,
  withClass,
  withoutClass,
  withoutPicture,
} from "./pictures-draft.js";

const file = (path: string, type = "image/png") => ({ path, file: new Blob(["x"], { type }) });
const many = (folder: string, count = 4) => Array.from({ length: count }, (_, i) => file(`${folder}/${i}.png`));

const counts = ({ classes }: ReturnType<typeof emptyDraft>) =>
  Object.fromEntries(classes.map(({ name, pictures }) => [name, pictures.length]));

test("folders are classes: the unnamed ones first, then new ones", () => {
  const { draft, others } = sorted(emptyDraft(), [
    ...many("pets/cat", 3),
    ...many("pets/dog", 2),
    ...many("pets/fish", 1),
    file("pets/readme.txt", "text/plain"),
  ]);
  expect(counts(draft)).toEqual({ cat: 3, dog: 2, fish: 1 });
  expect(others).toEqual(["pets/readme.txt"]);
  expect(counts(sorted(draft, many("more/dog", 5)).draft)).toEqual({ cat: 3, dog: 7, fish: 1 });
});

test("loose pictures go where the reader drops them, whatever folder they came from", () => {
  const draft = emptyDraft();
  const [first, second] = draft.classes;
  expect(counts(sorted(draft, [file("a.png")]).draft)).toEqual({ "Class 1": 1, "Class 2": 0 });
  expect(counts(sorted(draft, many("holiday", 2), second?.id).draft)).toEqual({ "Class 1": 0, "Class 2": 2 });
  expect(first?.name).toBe("Class 1");
});

test("pictures without a type are known by their names", () => {
  const { draft, others } = sorted(emptyDraft(), [file("x.JPEG", ""), file("notes", ""), file("sheet.csv", "")]);
  expect(counts(draft)["Class 1"]).toBe(1);
  expect(others).toEqual(["notes", "sheet.csv"]);
});

test("what is missing is said, one thing after the other", () => {
  let draft = emptyDraft();
  expect(draftProblem(draft)).toMatch(/no picture yet/);
  draft = sorted(draft, many("x/cat")).draft;
  expect(draftProblem(draft)).toMatch(/one class, cat.*two or more/);
  draft = sorted(draft, many("x/dog", 2)).draft;
  expect(draftProblem(draft)).toMatch(/dog has 2 of the 4 pictures/);
  draft = sorted(draft, many("x/dog", 2)).draft;
  expect(draftProblem(draft)).toBeUndefined();
  const [, dog] = draft.classes;
  expect(draftProblem(renamed(draft, dog?.id as number, " cat "))).toMatch(/Two classes are called cat/);
  expect(draftProblem(renamed(draft, dog?.id as number, " "))).toMatch(/A class has no name/);
  expect(draftProblem({ ...draft, title: "" })).toMatch(/The set has no name/);
  expect(draftProblem(withClass(draft).draft), "an empty class is no class").toBeUndefined();
});

test("pictures and classes can be taken out, and what is left is labelled", () => {
  const { draft } = sorted(emptyDraft(), [...many("x/cat", 2), ...many("y/dog", 2)]);
  const [cat, dog] = draft.classes;
  const less = withoutPicture(draft, cat?.id as number, cat?.pictures[0]?.id as number);
  expect(labelledFiles(less).map(({ label }) => label)).toEqual(["cat", "dog", "dog"]);
  expect(new Set(labelledFiles(draft).map(({ path }) => path)).size).toBe(4);
  expect(counts(withoutClass(draft, dog?.id as number))).toEqual({ cat: 2 });
});
