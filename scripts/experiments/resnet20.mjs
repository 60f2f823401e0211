// ResNet-20 on CIFAR-10's batches 1 and 2: the same schedule here and in PyTorch, several seeds each.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { limited, percent, trained } from "./runs.mjs";

const script = join(dirname(fileURLToPath(import.meta.url)), "resnet20.py");

/** Trains both sides and prints their test accuracies. Finished runs below `out` are not run again. */
export async function resnet20({ dataDir, out, epochs = 8, seeds = [0, 1, 2], limit }) {
  mkdirSync(out, { recursive: true });
  // As in resnet20.py, which says why the rate falls this way.
  const schedule = ["--lr", "0.1", "--schedule", "cosine"];
  const args = ["--data", "cifar10", "--data-dir", dataDir, ...schedule, ...limited(limit)];
  const ours = [];
  const theirs = [];
  for (const seed of seeds) {
    const history = await trained("resnet20_cifar", {
      out: join(out, `ocelli-${seed}`),
      epochs,
      args: [...args, "--seed", `${seed}`],
    });
    ours.push(history.at(-1).testAccuracy);
    theirs.push(await pytorch(join(out, `pytorch-${seed}.jsonl`), { dataDir, epochs, seed, limit }));
  }
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const row = (name, values) =>
    console.log(`${name.padEnd(10)}${values.map(percent).join("  ")}   mean ${percent(mean(values))}`);
  console.log(`\nTest accuracy after ${epochs} epochs of ${limit ?? "20,000"} images, seeds ${seeds.join(", ")}`);
  row("ocelli", ours);
  if (theirs.includes(undefined)) return console.log("skipped: PyTorch, because no python3 here has it");
  row("PyTorch", theirs);
  console.log(`difference of the means: ${(100 * (mean(ours) - mean(theirs))).toFixed(2)} points`);
}

/** PyTorch's final test accuracy; undefined where there is no PyTorch. */
async function pytorch(file, { dataDir, epochs, seed, limit }) {
  const lastOf = () => JSON.parse(readFileSync(file, "utf8").trim().split("\n").at(-1));
  if (existsSync(file)) {
    const last = lastOf();
    if (last.epoch === epochs) return last.testAccuracy;
  }
  const cifar = [join(dataDir, "cifar10"), dataDir].find((folder) => existsSync(join(folder, "data_batch_1.bin")));
  const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3");
  const child = spawn(
    python,
    [script, cifar, "--seed", `${seed}`, "--epochs", `${epochs}`, "--threads", "2", ...limited(limit)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let lines = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    lines += text;
    process.stdout.write(text);
  });
  const code = await new Promise((done) => child.on("error", () => done(1)).on("close", done));
  if (code !== 0) return undefined;
  writeFileSync(file, lines);
  return lastOf().testAccuracy;
}
