import { isImageSource, type LabelledImages, subset } from "@ocelli/training";

/**
 * Lets the worker hear what the page says. WebAssembly computes on this very thread, and promises alone never give it a moment for messages.
 * (Not a timer: browsers make those wait.)
 */
export function breath(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** The same images, with a breath before each batch: for evaluation, whose steps nobody else sees. */
export function breathing(data: LabelledImages): LabelledImages {
  if (isImageSource(data)) return data;
  const { name, labels, shape, classes, count } = data;
  return {
    ...{ name, labels, shape, classes, count },
    async read({ indices }) {
      await breath();
      return { images: subset(data, indices).images, broken: [] };
    },
  };
}
