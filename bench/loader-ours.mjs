// Our side of loader.mjs: `node loader-ours.mjs DIR WORKERS BATCH SECONDS` prints one line of JSON.
import { loader, randomResizedCropFrame } from "@ocelli/training";
import { imageFolder, pictureSource } from "@ocelli/training/node";

const [dir, ...numbers] = process.argv.slice(2);
const [workers, batchSize, seconds] = numbers.map(Number);
const { train } = await imageFolder(dir);
const source = pictureSource(train, { frame: randomResizedCropFrame({ size: 224 }), workers });
const batches = loader(source, { batchSize, shuffle: true });

/** Mirrors every other image: in training the device does that, within the step. */
function flip({ data, shape: [count, channels, height, width] }) {
  const size = channels * height * width;
  for (let image = 0; image < count; image += 2) {
    for (let row = image * size; row < (image + 1) * size; row += width) mirror(data, row, row + width - 1);
  }
}

function mirror(data, first, last) {
  for (let [i, j] = [first, last]; i < j; i++, j--) {
    const pixel = data[i];
    data[i] = data[j];
    data[j] = pixel;
  }
}

async function epoch(number) {
  let images = 0;
  for await (const batch of batches.epoch(number)) {
    flip(batch.images);
    images += batch.indices.length;
  }
  return images;
}

// Threads start and caches fill.
await epoch(0);
let [images, number] = [0, 1];
const start = performance.now();
const busy = performance.eventLoopUtilization();
while (performance.now() - start < 1000 * seconds) images += await epoch(number++);
const wall = (performance.now() - start) / 1000;
console.log(
  JSON.stringify({
    imagesPerSecond: images / wall,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    mainThread: performance.eventLoopUtilization(busy).utilization,
  }),
);
