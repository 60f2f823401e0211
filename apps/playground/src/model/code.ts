import { type DType, input, type Shape } from "@ocelli/core";
import { Context, Sequential } from "@ocelli/layers";
import { makeTransform, type Named } from "@ocelli/training";
import { type BuiltModel, buildModel, sizesOf } from "./build.js";
import { familyOf } from "./families.js";
import { chainModules } from "./layers.js";
import type { ImageShape, ModelSpec } from "./spec.js";
import { literal } from "./written.js";

/** What a program is made of: a network without its values. */
export interface Programmed {
  readonly title: string;
  readonly spec: ModelSpec;
  readonly classes: readonly string[];
  readonly transform: Named;
}

/** A TypeScript program that names the class of a picture. */
export interface Program {
  /** Its name. */
  readonly file: string;
  readonly text: string;
  /** What makes its folder ready. */
  readonly install: string;
  /** What starts it. */
  readonly run: string;
}

interface ModelCode {
  /** Names by the package that they are from. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  readonly expression: string;
}

/** @param files names of the program and of the values that lie beside it @throws ArgumentError, ShapeError for a spec that does not work */
export function programOf(network: Programmed, files: { readonly program: string; readonly weights: string }): Program {
  const model = modelCode(network.spec);
  const transform = transformCode(network.transform);
  const imports = merged(model.imports, {
    "@ocelli/core": ["hostTensor", "type HostTensor"],
    "@ocelli/formats": ["readSafetensors", "toHostTensor"],
    "@ocelli/kernels-cuda-onnx": ["onnx"],
    "@ocelli/layers": ["loadStateDict"],
    "@ocelli/training": ["predictor", transform.import],
  });
  const packages = [...imports.keys(), "onnxruntime-node", "sharp"].sort();
  const install = `npm install ${packages.join(" ")}`;
  const run = `npx tsx ${files.program} picture.png`;
  const built = buildModel(network.spec);
  const image = imageBefore(network.transform, built.input);
  const head = `// ${oneLine(network.title)}: names the class of a picture. Made by the ocelli playground.
//   ${install}
//   ${run}`;
  return {
    file: files.program,
    text: `${head}\n${body({ network, files, imports, model, transform, image, cut: cutCode(built, image) })}`,
    install,
    run,
  };
}

interface Parts {
  readonly network: Programmed;
  readonly files: { readonly weights: string };
  readonly imports: ReadonlyMap<string, readonly string[]>;
  readonly model: ModelCode;
  readonly transform: { readonly expression: string };
  readonly image: ImageShape;
  /** How a picture becomes one of the image's size. */
  readonly cut: string;
}

function body({ network, files, imports, model, transform, image: [channels, height, width], cut }: Parts): string {
  const lines = Array.from(imports, ([from, names]) => `import { ${names.join(", ")} } from "${from}";`);
  const colours = channels === 1 ? "grey" : "red, green and blue";
  const classes = `[${network.classes.map((name) => JSON.stringify(name)).join(", ")}]`;
  return `import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
${lines.join("\n")}
import sharp from "sharp";

export const model = ${model.expression};

export const classes: readonly string[] = ${classes};

/** What pixels (0 to 255) go through before the first layer. */
const transform = ${transform.expression};

/** The network with its values, ready to use. */
export async function load(path: string) {
  const { tensors } = readSafetensors(await readFile(path), { name: path });
  const values = Object.fromEntries(Array.from(tensors, ([name, tensor]) => [name, toHostTensor(tensor, name)]));
  const device = await onnx();
  const predict = await predictor(device, loadStateDict(model, values), { model, transform });
  return {
    /** Pixels [N, ${channels}, ${height}, ${width}], ${colours}, 0 to 255 -> probabilities [N, ${network.classes.length}]. */
    predict,
    dispose: () => device.dispose(),
  };
}

/** A picture file as the network takes it: the middle, ${width} x ${height} pixels, ${colours}. */
export async function readPicture(path: string): Promise<HostTensor> {
  const picture = sharp(path).rotate().flatten()${cut};
  const { data, info } = await picture.${channels === 1 ? 'toColourspace("b-w")' : 'toColourspace("srgb")'}.raw().toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(${channels * height * width});
  // From one pixel after the other to one channel after the other.
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[(i % ${height * width}) * info.channels + Math.floor(i / ${height * width})] ?? 0;
  return hostTensor(pixels, [1, ${channels}, ${height}, ${width}]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const network = await load(fileURLToPath(new URL(${JSON.stringify(files.weights)}, import.meta.url)));
  const { data } = await network.predict(await readPicture(process.argv[2] ?? "picture.png"));
  const best = Array.from(data, (probability, i) => ({ name: classes[i], probability: Number(probability) }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, 5);
  for (const { name, probability } of best) console.log(\`\${(100 * probability).toFixed(2).padStart(6)} %  \${name}\`);
  await network.dispose();
}
`;
}

/** Calls of sharp that cut out the middle; of a larger picture, where the network was published with that. */
function cutCode({ entry }: BuiltModel, [, height, width]: ImageShape): string {
  const { resize } = entry?.preprocessing ?? {};
  const factor = resize === undefined ? 1 : Math.max(1, resize / (entry?.input[1] ?? resize));
  if (factor === 1) return `.resize(${width}, ${height})`;
  const [larger, wider] = [Math.round(factor * height), Math.round(factor * width)];
  const [top, left] = [Math.floor((larger - height) / 2), Math.floor((wider - width) / 2)];
  return `.resize(${wider}, ${larger}).extract(${literal({ left, top, width, height }).text})`;
}

/** TypeScript that makes the same model. */
function modelCode(spec: ModelSpec): ModelCode {
  if (spec.kind === "layers") return chainCode(spec);
  const options = sizesOf(spec);
  if (spec.kind === "family") {
    const { imports, expression } = familyOf(spec.family).code(spec.values, options);
    return { imports: { "@ocelli/zoo": imports }, expression };
  }
  const args = [spec.name, ...(Object.keys(options).length === 0 ? [] : [options])];
  return {
    imports: { "@ocelli/zoo": ["createModel"] },
    expression: `createModel(${args.map((arg) => literal(arg).text).join(", ")})`,
  };
}

function chainCode(spec: Extract<ModelSpec, { readonly kind: "layers" }>): ModelCode {
  const modules = chainModules(spec);
  return {
    imports: { "@ocelli/layers": ["Sequential", ...modules.flatMap(({ imports }) => imports)] },
    expression: `new Sequential(\n${modules.map(({ text }) => `  ${text},\n`).join("")})`,
  };
}

function transformCode({ name, options }: Named): { readonly import: string; readonly expression: string } {
  return name === "normalize"
    ? { import: "normalize", expression: `normalize(${literal(options).text})` }
    : { import: "makeTransform", expression: `makeTransform(${literal({ name, options }).text})` };
}

/** Packages in alphabetical order, each with its names once. */
function merged(...all: readonly ModelCode["imports"][]): Map<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const [from, names] of all.flatMap((one) => Object.entries(one)))
    found.set(from, new Set([...(found.get(from) ?? []), ...names]));
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([from, names]) => [from, [...names].sort(byName)]));
}

/** Types stand where their names do. */
const byName = (a: string, b: string): number => a.replace("type ", "").localeCompare(b.replace("type ", ""), "en");

/** Titles are people's: one with a line break would end the comment that it stands in. */
const oneLine = (title: string): string => title.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, " ");

/** The image that a transform makes into what the network takes: without the border that it adds, say. */
export function imageBefore(transform: Named, taken: ImageShape): ImageShape {
  const [channels, height, width] = taken;
  const [, , madeHeight, madeWidth] = shapeAfter(transform, taken);
  return [channels, height - ((madeHeight as number) - height), width - ((madeWidth as number) - width)];
}

function shapeAfter(transform: Named, image: ImageShape): Shape {
  const images = input("images", { shape: [1, ...image], dtype: "uint8" satisfies DType });
  const ctx = new Context(new Sequential(), { state: {}, training: false });
  return makeTransform(transform).apply({ images }, ctx).images.shape;
}
