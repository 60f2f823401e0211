// What share of a graphics card's arithmetic our kernels reach on ResNet-50's layers, and a ResNet-50 training step beside PyTorch's:
// `npm run bench:gpu [-- --python python3]`. See README.md.
import { parseArgs } from "node:util";
import { build } from "../scripts/run.mjs";
import { jsonLines, markdown, median, positive, run } from "./rounds.mjs";

const { values: options } = parseArgs({
  options: {
    batch: { type: "string", default: "32" },
    seconds: { type: "string", default: "3" },
    /** A Python with PyTorch and torchvision on the same card; left out, PyTorch is not measured. */
    python: { type: "string" },
    software: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [batch, seconds] = ["batch", "seconds"].map((name) => positive(options[name], name));

const built = await build();
if (built.code !== 0) process.exit(built.code);
const {
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  crossEntropy,
  hostTensor,
  matmul,
  narrow,
  reshape,
  apply,
  defineOp,
} = await import("@ocelli/core");
const { describeAdapter, groups, webgpu } = await import("@ocelli/kernels-webgpu");
const { sgd, trainStep } = await import("@ocelli/training");
const { resnet50 } = await import("./resnet50.mjs");

const adapter = await describeAdapter();
if (adapter.software && !options.software) {
  console.log(
    `skipped: ${adapter.name} is a software adapter; shares of a card's peak mean nothing on it (--software measures all the same)`,
  );
  process.exit(0);
}

/** Independent multiply-adds in registers: what the card can do at most. */
const perThread = 2048;
const chains = 8;
const peakOp = defineOp({ name: "peak", infer: ([x]) => x, vjp: "nondifferentiable" });
const peakKernel = {
  dispatches: ({ outputs: [y] }) => {
    const size = y.shape[0];
    const each = Array.from({ length: chains }, (_, i) => i);
    const body = `let i = group * 256u + lix;
if (i >= ${size}u) { return; }
let a = r0(i);
${each.map((k) => `var v${k} = vec4f(a + ${k}.0);`).join("\n")}
for (var n = 0u; n < ${perThread / chains / 4}u; n++) {
${each.map((k) => `v${k} = fma(v${k}, vec4f(0.999), vec4f(a));`).join("\n")}
}
let total = ${each.map((k) => `v${k}`).join(" + ")};
w0(i, total.x + total.y + total.z + total.w);`;
    return [
      { name: "peak", reads: [0], writes: [0], workgroupSize: [256, 1, 1], workgroups: groups(size / 256), body },
    ];
  },
};

const device = await webgpu({ kernels: new Map([[peakOp, { kernel: peakKernel }]]), onNotice: () => undefined });

function noise(shape) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0, seed = 1; i < data.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    data[i] = seed / 2 ** 31 - 1;
  }
  return hostTensor(data, shape);
}

/** Seconds of one run of `make(tensors)`: many are queued, so that neither submits nor reads are counted. */
async function timeOf(shapes, make) {
  const state = await device.createState({ on: Object.fromEntries(shapes.map((shape, i) => [`x${i}`, noise(shape)])) });
  const program = await device.compile({
    inputs: {},
    state: Object.fromEntries(shapes.map((shape, i) => [`on/x${i}`, { shape, dtype: "float32" }])),
    build: (_, on) => ({
      outputs: { y: narrow(reshape(make(...shapes.map((_shape, i) => on[`on/x${i}`])), [-1]), 0, 0, 1) },
    }),
  });
  const go = async (count) => {
    const start = performance.now();
    let last;
    for (let i = 0; i < count; i++) last = await program.run({}, state);
    await last.y.read();
    return (performance.now() - start) / 1000 / count;
  };
  await go(2);
  const once = await go(3);
  const count = Math.max(3, Math.min(500, Math.round(seconds / 5 / once)));
  const times = [await go(count), await go(count), await go(count)];
  program[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
  state.dispose();
  return median(times);
}

const threads = 2 ** 21;
const peak = (2 * threads * perThread) / (await timeOf([[threads]], (x) => apply(peakOp, [x])));
console.error(`${adapter.name}: ${(peak / 1e12).toFixed(2)} TFLOP/s of float32 multiply-adds measured`);

/** [name, C, O, size, kernel, stride] of ResNet-50's different convolutions at 224. */
const layers = [
  ["conv1", 3, 64, 224, 7, 2],
  ["layer1 1x1 in", 256, 64, 56, 1, 1],
  ["layer1 3x3", 64, 64, 56, 3, 1],
  ["layer1 1x1 out", 64, 256, 56, 1, 1],
  ["layer2 3x3 stride 2", 128, 128, 56, 3, 2],
  ["layer2 3x3", 128, 128, 28, 3, 1],
  ["layer2 1x1 out", 128, 512, 28, 1, 1],
  ["layer3 3x3", 256, 256, 14, 3, 1],
  ["layer3 1x1 out", 256, 1024, 14, 1, 1],
  ["layer4 3x3", 512, 512, 7, 3, 1],
  ["layer4 1x1 out", 512, 2048, 7, 1, 1],
];

const rows = [];
function record(name, flops, time) {
  rows.push([
    name,
    (time * 1000).toFixed(3),
    (flops / time / 1e12).toFixed(2),
    `${((100 * flops) / time / peak).toFixed(0)} %`,
  ]);
  console.error(rows.at(-1).join("  "));
}

for (const [name, c, o, size, k, s] of layers) {
  const p = (k - 1) / 2;
  const out = Math.floor((size + 2 * p - k) / s) + 1;
  const [x, w, y] = [
    [batch, c, size, size],
    [o, c, k, k],
    [batch, o, out, out],
  ];
  const attrs = { stride: [s, s], padding: [p, p, p, p], dilation: [1, 1], groups: 1 };
  const flops = 2 * batch * o * out * out * c * k * k;
  record(`${name}: forward`, flops, await timeOf([x, w], (a, b) => conv2d(a, b, { stride: s, padding: p })));
  record(
    `${name}: input gradient`,
    flops,
    await timeOf([y, w], (a, b) => conv2dInputGrad(a, b, { ...attrs, inputShape: x })),
  );
  record(
    `${name}: weight gradient`,
    flops,
    await timeOf([x, y], (a, b) => conv2dWeightGrad(a, b, { ...attrs, weightShape: w })),
  );
}
for (const n of [1024, 4096])
  record(
    `matmul ${n}`,
    2 * n ** 3,
    await timeOf(
      [
        [n, n],
        [n, n],
      ],
      (a, b) => matmul(a, b),
    ),
  );

/** Images a second of whole training steps. */
async function training() {
  const model = resnet50();
  const state = await device.init(model, { seed: 0 });
  const step = trainStep(device, state, {
    model,
    loss: crossEntropy,
    optimizer: sgd({ lr: 0.01, momentum: 0.9, weightDecay: 1e-4 }),
    metrics: {},
  });
  const labels = hostTensor(Int32Array.from({ length: batch }, (_, i) => i));
  const data = { images: noise([batch, 3, 224, 224]), labels };
  for (let i = 0; i < 3; i++) await (await step(data)).loss.read();
  const times = [];
  const end = performance.now() + 1000 * seconds;
  let waiting = await step(data);
  for (let last = performance.now(); performance.now() < end || times.length < 5; ) {
    const next = await step(data);
    await waiting.loss.read();
    waiting = next;
    times.push(performance.now() - last);
    last = performance.now();
  }
  await waiting.loss.read();
  state.dispose();
  return (1000 * batch) / median(times);
}

const ours = await training();
await device.dispose();

const torch = `
import json, time, torch, torchvision
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
m = torchvision.models.resnet50().cuda().train()
opt = torch.optim.SGD(m.parameters(), .01, .9, weight_decay=1e-4)
x = torch.randn(${batch}, 3, 224, 224).cuda(); y = torch.arange(${batch}).cuda(); ce = torch.nn.CrossEntropyLoss()
def step():
    opt.zero_grad(); loss = ce(m(x), y); loss.backward(); opt.step(); return loss
for _ in range(5): step()
torch.cuda.synchronize(); a = time.perf_counter(); n = 0
while time.perf_counter() - a < ${seconds}:
    step(); n += 1; torch.cuda.synchronize()
print(json.dumps({"rate": n * ${batch} / (time.perf_counter() - a), "version": torch.__version__}))
`;
const theirs = options.python === undefined ? undefined : jsonLines(await run(options.python, ["-c", torch]))[0];

if (options.json) console.log(JSON.stringify({ adapter: adapter.name, peak, rows, ours, theirs }));
else {
  console.log(markdown(["layer", "ms:", "TFLOP/s:", "of the peak:"], rows));
  console.log(`\nBatch ${batch}, ${adapter.name}; peak ${(peak / 1e12).toFixed(2)} TFLOP/s (measured).`);
  console.log(`ResNet-50 training: ${ours.toFixed(1)} images/s.`);
  if (theirs !== undefined)
    console.log(
      `PyTorch ${theirs.version}, float32: ${theirs.rate.toFixed(1)} images/s; ratio ${(ours / theirs.rate).toFixed(2)}.`,
    );
}
