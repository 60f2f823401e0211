// @ts-check
// Plain JavaScript, because worker threads load it as it stands: Node 20 runs no TypeScript.
import { readFileSync, statSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { axisWeights, resample, span } from "./resample.worker.js";

/** @typedef {import("./protocol.js").Job} Job */
/** @typedef {import("../../augment/decode-plan.js").Step} Step */

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
const { maxBytes } = workerData;

// Several pictures at once are faster than several threads for each; and no file is read twice soon.
sharp.concurrency(1);
sharp.cache(false);

/** Jobs with pictures that nobody has taken yet, and pictures in the making: two, so that one is decoded while another is scaled. */
/** @type {{ job: Job, next: number, open: number, result: any }[]} */
const queue = [];
let lanes = 0;

port.on("message", (/** @type {Job | { cancel: number }} */ message) => {
  if ("cancel" in message) {
    const at = queue.findIndex(({ job }) => job.id === message.cancel);
    if (at >= 0) queue.splice(at, 1);
    return;
  }
  const state = { job: message, next: 0, open: message.files.length, result: undefined };
  // Sizes are quick, and others wait for them to know what to ask for.
  if (message.kind === "measure") queue.unshift(state);
  else queue.push(state);
  while (lanes < 2 && queue.length > 0) void lane();
});

async function lane() {
  lanes++;
  for (let state = queue[0]; state !== undefined; state = queue[0]) {
    state.result ??= emptyResult(state.job);
    const at = state.next++;
    if (state.next === state.job.files.length) queue.shift();
    await picture(state, at);
    if (--state.open === 0) reply(state);
  }
  lanes--;
}

/** @param {Job} job */
function emptyResult(job) {
  const bytes = job.kind === "measure" ? 0 : job.files.length * job.channels * job.size[0] * job.size[1];
  return {
    sizes: new Uint32Array(job.kind === "measure" ? 2 * job.files.length : 0),
    images: new Uint8Array(bytes),
    broken: [],
  };
}

function reply({ job, result }) {
  port.postMessage({ id: job.id, ...result }, [result.sizes.buffer, result.images.buffer]);
}

async function picture({ job, result }, at) {
  const file = job.files[at];
  try {
    if (job.kind === "measure") result.sizes.set(await measure(job, file), 2 * at);
    else {
      const length = job.channels * job.size[0] * job.size[1];
      await decode(job, at, result.images.subarray(at * length, (at + 1) * length));
    }
  } catch (error) {
    result.broken.push({ at, reason: reasonFor(file, error) });
  }
}

/** As sharp calls them. It reads drawings and documents too, which others do not take for pictures. */
const formats = new Set(["jpeg", "png", "webp", "tiff", "gif", "heif"]);

/** Height and width, upright. */
async function measure({ maxPixels }, file) {
  checkBytes(file);
  const { format, autoOrient } = await sharp(file, { limitInputPixels: maxPixels, failOn: "error" }).metadata();
  if (!formats.has(format))
    throw new Error(`is of the format ${format}; JPEG, PNG, WebP, TIFF, GIF and AVIF are taken`);
  const { width, height } = autoOrient;
  if (width * height > maxPixels) throw new Error(`has ${width}x${height} pixels; at most ${maxPixels} are taken`);
  return [height, width];
}

function checkBytes(file) {
  const { size } = statSync(file);
  if (size === 0) throw new Error("is empty");
  if (size > maxBytes) throw new Error(`has ${size} bytes; at most ${maxBytes} are taken`);
}

async function decode({ files, plans, channels, maxPixels }, at, out) {
  const { shrunk, steps } = plans[at];
  const [first, ...others] = steps.map(axesOf);
  let picture = sharp(readFileSync(files[at]), { limitInputPixels: maxPixels, failOn: "error" }).autoOrient();
  if (shrunk) picture = picture.resize(shrunk[1], shrunk[0], { fit: "fill", kernel: "linear" });
  const [{ start: top, length: height }, { start: left, length: width }] = [span(first.y), span(first.x)];
  picture = picture.extract({ left: steps[0].left + left, top: steps[0].top + top, width, height });
  // What shines through is black.
  picture = picture.flatten({ background: "black" });
  picture = channels === 1 ? picture.greyscale() : picture.toColourspace("srgb");
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  let planes = scaled({ bytes: data, channels: info.channels }, first);
  for (const axes of others) {
    const parts = Array.from({ length: info.channels }, (_, c) =>
      planes.subarray((c * planes.length) / info.channels, ((c + 1) * planes.length) / info.channels),
    );
    planes = Buffer.concat(parts.map((bytes) => scaled({ bytes, channels: 1 }, axes)));
  }
  // Grey becomes red, green and blue.
  for (let at = 0; at < out.length; at += planes.length) out.set(planes, at);
}

function scaled(pixels, { x, y }) {
  const planes = new Uint8Array(pixels.channels * y.starts.length * x.starts.length);
  resample(pixels, { x, y }, planes);
  return planes;
}

/** @param {Step} step */
function axesOf({ from, to, window }) {
  return {
    y: axisWeights(from[0], to[0], window.top, window.height),
    x: axisWeights(from[1], to[1], window.left, window.width),
  };
}

/** One line, without the file's name, which the caller knows. */
function reasonFor(file, error) {
  if (error.code === "ENOENT") return "there is no such file";
  const [line] = String(error.message).split("\n");
  // libvips keeps one message for all threads: another one may have cleared it.
  if (/unknown error/i.test(line)) return "its content is damaged";
  return line
    .replaceAll(file, "it")
    .replace(/^Input (file|buffer)/, "it")
    .replace(/\.$/, "");
}
