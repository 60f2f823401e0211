import type { FunctionComponent } from "preact";
import type { DeviceReport } from "../../../workers/device.js";
import { device } from "../session/run.js";

/** What computes, in a sentence. */
export const Adapter: FunctionComponent = () => (
  <p class="small quiet">
    {device.value === undefined ? "Looking for a graphics card ..." : adapterText(device.value)}
  </p>
);

export function adapterText({ kind, adapter, software, why }: DeviceReport): string {
  const reason = why === undefined ? "" : ` ${why}`;
  if (kind === "wasm") return `Computes on the processor: ${adapter}.${reason}`;
  if (software) return `Computes on ${adapter}, a processor playing the graphics card: slow but right.${reason}`;
  return `Computes on the graphics card: ${adapter}.${reason}`;
}
