import { ArgumentError } from "@ocelli/core";
import { centerFrame, classCounts } from "@ocelli/training";
import { imageFiles, type LocatedFile, standardSet } from "@ocelli/training/web";
import {
  cleanName,
  freeName,
  listData,
  openData,
  rememberData,
  type SetInMemory,
  storeData,
} from "../../store/data.js";
import type { AddDataRequest, AddedData, AddProgress } from "./api.js";

const titles = {
  mnist: "MNIST",
  "fashion-mnist": "Fashion-MNIST",
  cifar10: "CIFAR-10",
  cifar100: "CIFAR-100",
} as const;

type Broken = AddedData["broken"];
type Tell = (progress: AddProgress) => void;

/** See `TrainApi.addData`. */
export async function addData(request: AddDataRequest, tell: Tell = () => undefined): Promise<AddedData> {
  const { set, broken } =
    (request.kind ?? kindOf(request.files)) === "standard"
      ? { set: await standard(request.files), broken: [] }
      : await pictures(request, tell);
  const kept = request.keep !== "memory";
  const kind = { ...set, about: { ...set.about, kept } };
  if (kept) await storeData(kind, (done, total) => tell({ done, total, doing: "storing" }));
  else rememberData(kind);
  return { data: kind.about, broken };
}

/** Names that only standard sets' files have: archives, idx and CIFAR's binary files. */
const ofSets = /(\.(tar\.gz|tgz|gz|bin)|-ubyte|-idx\d|(data_batch_\d|test_batch|cifar-100?-python).*)$/i;

function kindOf(files: readonly LocatedFile[]): "standard" | "pictures" {
  return files.some(({ path, label }) => label === undefined && ofSets.test(path)) ? "standard" : "pictures";
}

async function standard(files: readonly LocatedFile[]): Promise<SetInMemory> {
  const { dataset, train, test } = await standardSet(files);
  const bytes = train.images.length + test.images.length + train.count + test.count;
  const about = {
    name: dataset,
    title: titles[dataset],
    kind: "standard",
    classes: train.classes,
    counts: classCounts(train),
    test: test.count,
    image: train.shape,
    bytes,
    created: Date.now(),
    kept: true,
  } as const;
  return { about, content: { kind: "standard", train, test } };
}

/** Pictures that can be read, with their classes; together with those of the set that they are added to. */
async function pictures(
  { files, name, to }: AddDataRequest,
  tell: Tell,
): Promise<{ readonly set: SetInMemory; readonly broken: Broken }> {
  const before = to === undefined ? undefined : await openData(to);
  if (before?.content.kind === "standard")
    throw new ArgumentError(`${before.about.title} is a standard set; pictures are added to a set of pictures`, { to });
  const known = before?.content.kind === "pictures" ? before.content.files : [];
  const given = labelled(files);
  const broken = await unreadable(given, tell);
  const bad = new Set(broken.map(({ path }) => path));
  const stamp = before === undefined ? "" : `${Date.now().toString(36)}-`;
  const good = given.flatMap((file) => (bad.has(file.path) ? [] : [{ ...file, path: `${stamp}${file.path}` }]));
  const all = [...known, ...good];
  const classes = [...new Set([...(before?.about.classes ?? []), ...good.map(({ label }) => label).sort()])];
  checkPictures(files, { given: given.length, good: all.length, broken, classes });
  const free =
    before?.about.name ??
    freeName(
      cleanName(name ?? outermost(files)),
      (await listData()).sets.map((set) => set.name),
    );
  const about = {
    name: free,
    title: before?.about.title ?? free,
    kind: "pictures",
    classes,
    counts: classes.map((one) => all.filter(({ label }) => label === one).length),
    test: 0,
    image: null,
    bytes: all.reduce((sum, { file }) => sum + file.size, 0),
    created: before?.about.created ?? Date.now(),
    kept: true,
  } as const;
  return { set: { about, content: { kind: "pictures", files: all } }, broken };
}

type Labelled = LocatedFile & { readonly label: string };

const pictureName = /\.(jpe?g|jpe|jfif|png|apng|webp|gif|bmp|avif|tiff?|heic|heif|jxl)$/i;

/**
 * Pictures with the names of their folders, or their own labels; what has no picture's name is left out. Of pictures of one path, a camera's
 * perhaps, each has a number.
 */
function labelled(files: readonly LocatedFile[]): Labelled[] {
  const paths = new Set<string>();
  return files.flatMap(({ path, file, label = path.split("/").at(-2) ?? "" }, i): Labelled[] => {
    if (label === "" || !pictureName.test(path)) return [];
    const own = paths.has(path) ? `${i}-${path}` : path;
    paths.add(own);
    return [{ path: own, file, label }];
  });
}

/** So many are tried at once: decoded photographs are large. */
const share = 8;

async function unreadable(files: readonly Labelled[], tell: Tell): Promise<Broken> {
  const broken: { path: string; reason: string }[] = [];
  for (let from = 0; from < files.length; from += share) {
    const part = files.slice(from, from + share);
    const source = imageFiles(part, {
      frame: centerFrame({ size: 8, resize: 8 }),
      // Who can be read is the question here: classes are counted later, and one is enough.
      classes: [...new Set(part.map(({ label }) => label)), ""],
      onBroken: "skip",
      report: (_, one) => void broken.push(one),
    });
    await source.read({ indices: Int32Array.from(part, (_, i) => i) });
    tell({ done: Math.min(files.length, from + share), total: files.length, doing: "looking" });
  }
  return broken;
}

interface Found {
  readonly given: number;
  readonly good: number;
  readonly broken: Broken;
  readonly classes: readonly string[];
}

/** @throws ArgumentError that says what came and what is needed */
function checkPictures(files: readonly LocatedFile[], { given, good, broken, classes }: Found): void {
  const came = files.slice(0, 3).map(({ path }) => path);
  if (given === 0) {
    const more = files.length > 3 ? ", ..." : "";
    throw new ArgumentError(
      `There is no labelled picture among ${files.length} ${files.length === 1 ? "file" : "files"} (${came.join(", ")}${more}). Needed: a folder with a folder of pictures (JPEG, PNG, WebP ...) for each class, pictures labelled here, or the files of MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100.`,
      { files: came },
    );
  }
  if (good === 0) {
    const [first] = broken as [Broken[number]];
    throw new ArgumentError(
      `None of ${given} pictures can be read: ${first.path} ${first.reason}. Needed: what this browser shows, such as JPEG, PNG or WebP.`,
      { broken },
    );
  }
  if (classes.length > 1) return;
  throw new ArgumentError(
    `All ${good} pictures are of one class, ${classes[0]}; a classifier needs two or more. The class is the folder that a picture lies in: give the folder above, or pictures of another class too.`,
    { classes },
  );
}

/** The folder that all lie in, or a word. */
function outermost(files: readonly LocatedFile[]): string {
  const names = new Set(files.map(({ path }) => path.split("/")));
  const [first] = [...new Set([...names].map((parts) => (parts.length > 2 ? parts[0] : undefined)))];
  return first ?? "pictures";
}
