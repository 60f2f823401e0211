import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What will compute here. Only asks for the adapter: the kernels are loaded where something is computed. */
export const Adapter: FunctionComponent = () => {
  const [text, setText] = useState("Looking ...");
  useEffect(() => {
    // After the page has been drawn.
    const timer = setTimeout(() => describe().then(setText));
    return () => clearTimeout(timer);
  }, []);
  return <span role="status">{text}</span>;
};

async function describe(): Promise<string> {
  const { describeAdapter } = await import("@ocelli/kernels-webgpu");
  try {
    const { name, software } = await describeAdapter();
    return software
      ? `Your processor, by WebAssembly: it is faster there than in the WebGPU that it plays (${name}).`
      : `Your graphics card, by WebGPU: ${name}.`;
  } catch {
    const threads = crossOriginIsolated ? "" : " on one thread";
    return `Your processor, by WebAssembly${threads}: this browser offers no WebGPU here. The same networks, only slower.`;
  }
}
