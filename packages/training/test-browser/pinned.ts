/** One checkpoint and its file. Node and browser must each write these very bytes and read them back. */
import { hostTensor } from "@ocelli/core";
import type { Checkpoint } from "../src/checkpoint.js";
import { freshProgress } from "../src/fit.js";

export const pinned: Checkpoint = {
  values: {
    params: { "conv1.weight": hostTensor([1.5, -2, 3], [3]), "a.0.b": hostTensor([7], []) },
    buffers: { "bn.num_batches_tracked": hostTensor(Int32Array.of(12), []) },
    optimizer: { "conv1.weight.momentum_buffer": hostTensor(Uint16Array.of(0x3c00, 0xc000, 1), [3, 1]) },
  },
  progress: { ...freshProgress, epoch: 1, batch: 4, step: 12, lossSum: 0.1 + 0.2, accuracySum: 3.25 },
  run: "0123abcd",
};

/** Made by Node's writer. */
export const pinnedBytes = Uint8Array.from(
  atob(
    "+AEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJvY2VsbGktY2hlY2twb2ludC0xIiwicHJvZ3Jlc3MiOiJ7XCJlcG9jaFwiOjEsXCJiYXRjaFwiOjQsXCJzdGVwXCI6MTIsXCJsb3NzU3VtXCI6MC4zMDAwMDAwMDAwMDAwMDAwNCxcImFjY3VyYWN5U3VtXCI6My4yNSxcImhpc3RvcnlcIjpbXX0iLCJydW4iOiIwMTIzYWJjZCJ9LCJwYXJhbXMvY29udjEud2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMCwxMl19LCJwYXJhbXMvYS4wLmIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzEyLDE2XX0sImJ1ZmZlcnMvYm4ubnVtX2JhdGNoZXNfdHJhY2tlZCI6eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMTYsMjBdfSwib3B0aW1pemVyL2NvbnYxLndlaWdodC5tb21lbnR1bV9idWZmZXIiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzMsMV0sImRhdGFfb2Zmc2V0cyI6WzIwLDI2XX19ICAgICAAAMA/AAAAwAAAQEAAAOBADAAAAAA8AMABAA==",
  ),
  (char) => char.charCodeAt(0),
);
