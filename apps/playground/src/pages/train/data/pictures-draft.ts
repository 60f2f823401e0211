import type { LocatedFile } from "@ocelli/training/web";

/** Pictures that the reader sorts into classes before they become a set. */
export interface PicturesDraft {
  readonly title: string;
  readonly classes: readonly DraftClass[];
}

export interface DraftClass {
  /** Stays when the name changes. */
  readonly id: number;
  readonly name: string;
  readonly pictures: readonly DraftPicture[];
}

export interface DraftPicture {
  readonly id: number;
  readonly path: string;
  readonly file: Blob;
}

/** What files became of: a draft, and what was left out. */
export interface Sorted {
  readonly draft: PicturesDraft;
  /** Paths of files that are no pictures. */
  readonly others: readonly string[];
}

let lastId = 0;
const newId = (): number => ++lastId;

export const emptyDraft = (): PicturesDraft => ({
  title: "My pictures",
  classes: [
    { id: newId(), name: "Class 1", pictures: [] },
    { id: newId(), name: "Class 2", pictures: [] },
  ],
});

const pictureName = /\.(jpe?g|jpe|jfif|png|apng|webp|gif|bmp|avif|tiff?|heic|heif|jxl)$/i;

const isPicture = ({ path, file }: LocatedFile): boolean => file.type.startsWith("image/") || pictureName.test(path);

/** The folder that a file lies in; of one in no folder, nothing. */
const folderOf = (path: string): string | undefined => path.split("/").at(-2);

/** Files into classes: by their folders' names where they lie in any, else into class `into`. */
export function sorted(draft: PicturesDraft, files: readonly LocatedFile[], into?: number): Sorted {
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file)).map(({ path }) => path);
  let next = draft;
  for (const [folder, members] of byFolder(pictures)) {
    const id = folder === undefined || into !== undefined ? (into ?? next.classes[0]?.id) : undefined;
    next = id === undefined ? withFolder(next, folder ?? "", members) : withPictures(next, id, members);
  }
  return { draft: next, others };
}

function byFolder(files: readonly LocatedFile[]): Map<string | undefined, LocatedFile[]> {
  const found = new Map<string | undefined, LocatedFile[]>();
  for (const file of files) {
    const folder = folderOf(file.path);
    found.set(folder, [...(found.get(folder) ?? []), file]);
  }
  return found;
}

/** A folder fills the class of its name; else one that nobody has named or filled yet; else a new one. */
function withFolder(draft: PicturesDraft, name: string, files: readonly LocatedFile[]): PicturesDraft {
  const known = draft.classes.find((one) => one.name === name);
  const unused = draft.classes.find((one) => one.pictures.length === 0 && /^Class \d+$/.test(one.name));
  const found = known ?? unused;
  if (found !== undefined) return withPictures(renamed(draft, found.id, name), found.id, files);
  const { draft: longer, id } = withClass(draft, name);
  return withPictures(longer, id, files);
}

export function withClass(draft: PicturesDraft, name = `Class ${draft.classes.length + 1}`) {
  const id = newId();
  return { id, draft: { ...draft, classes: [...draft.classes, { id, name, pictures: [] }] } };
}

export const withoutClass = (draft: PicturesDraft, id: number): PicturesDraft => ({
  ...draft,
  classes: draft.classes.filter((one) => one.id !== id),
});

const changed = (draft: PicturesDraft, id: number, change: (one: DraftClass) => DraftClass): PicturesDraft => ({
  ...draft,
  classes: draft.classes.map((one) => (one.id === id ? change(one) : one)),
});

export const renamed = (draft: PicturesDraft, id: number, name: string): PicturesDraft =>
  changed(draft, id, (one) => ({ ...one, name }));

export const withPictures = (draft: PicturesDraft, id: number, files: readonly LocatedFile[]): PicturesDraft =>
  changed(draft, id, (one) => ({
    ...one,
    pictures: [...one.pictures, ...files.map(({ path, file }) => ({ id: newId(), path, file }))],
  }));

export const withoutPicture = (draft: PicturesDraft, id: number, picture: number): PicturesDraft =>
  changed(draft, id, (one) => ({ ...one, pictures: one.pictures.filter((other) => other.id !== picture) }));

/** What keeps a draft from being a set, and what to do; undefined: nothing. */
export function draftProblem({ title, classes }: PicturesDraft): string | undefined {
  const filled = classes.filter(({ pictures }) => pictures.length > 0);
  const names = filled.map(({ name }) => name.trim());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (title.trim() === "") return "The set has no name. Give it one.";
  if (filled.length === 0) return "There is no picture yet. Add some to two classes or more.";
  if (filled.length === 1)
    return `All pictures are of one class, ${names[0]}. A network that tells classes apart needs two or more: add pictures of something else.`;
  if (names.includes("")) return "A class has no name. Give it one.";
  if (twice !== undefined) return `Two classes are called ${twice}. Give one of them another name.`;
  const small = filled.find(({ pictures }) => pictures.length < leastPictures);
  if (small !== undefined)
    return `${small.name} has ${small.pictures.length} of the ${leastPictures} pictures that each class needs: some to learn from and some to be judged by. About 20 are a good start.`;
  return undefined;
}

const leastPictures = 4;

/** What the worker gets: each picture with its class. Two of one path are told apart by a number. */
export const labelledFiles = ({ classes }: PicturesDraft): LocatedFile[] =>
  classes.flatMap(({ name, pictures }) =>
    pictures.map(({ path, file, id }) => ({
      path: `${name.trim()}/${id}-${path.slice(path.lastIndexOf("/") + 1)}`,
      file,
      label: name.trim(),
    })),
  );
