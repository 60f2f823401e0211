import { input, type Node, type Shape, Tensor, type Tensors, topologicalOrder } from "@ocelli/core";
import { logitsOf } from "@ocelli/layers";
import { tensorsIn } from "../calls.js";
import { type ImageTransform, type Network, Pass } from "./pass.js";

/** What a layer gives for one image. */
export interface LayerOutput {
  /** Name of the module from the root, `layer1.0.conv1`. */
  readonly path: string;
  /** Its class, `Conv2d`. */
  readonly type: string;
  /** Without the batch: a map `[C, H, W]`, a vector `[D]`. */
  readonly shape: Shape;
  /** Whether it is a map with more than one position. */
  readonly map: boolean;
}

export interface NetworkLayers {
  /** In the order in which evaluation computes them: inner before outer, of several calls the last. */
  readonly layers: readonly LayerOutput[];
  /** What Grad-CAM looks at unless told otherwise: see {@link layersOf}. None in a network without maps. */
  readonly gradCamLayer: string | undefined;
  /** How many classes the model tells apart, where it returns logits. */
  readonly classes: number | undefined;
  /** Shape of an image as the model is given it, after the transform. */
  readonly seen: Shape;
}

/**
 * The layers of a network whose outputs can be shown, from shapes alone. The one for Grad-CAM is the last whose map is as large as that of
 * the last convolution with an extent: behind what follows it in layers of their own, its activation or a shortcut's sum, and before a
 * pool makes the map smaller. In VGG-16 `features.29`, in ResNets `layer4`.
 * @param image shape of one image, `[C, H, W]`
 * @throws ShapeError when the model does not take such images
 */
export function layersOf(
  model: Network["model"],
  image: Shape,
  { transform }: { readonly transform?: ImageTransform | undefined } = {},
): NetworkLayers {
  const state: Tensors = Object.fromEntries(
    Object.entries(model.stateSpecs()).map(([name, spec]) => [name, input(`state:${name}`, spec)]),
  );
  const pass = new Pass({ model, transform }, input("images", { shape: [1, ...image], dtype: "float32" }), state);
  const modules = model.modules();
  const found = [...pass.outputs].flatMap(([path, output]) => (isNamed(path, output) ? [{ path, output }] : []));
  const layers = found.map(({ path, output }) => ({
    path,
    type: modules.get(path)?.constructor.name ?? "",
    shape: output.shape.slice(1),
    map: hasExtent(output),
  }));
  const logits = logitsOf(pass.output ?? {});
  return {
    layers,
    gradCamLayer: lastMap(found, topologicalOrder(tensorsIn(pass.output))),
    classes: logits instanceof Tensor && logits.shape.length === 2 ? logits.shape[1] : undefined,
    seen: pass.seen.shape.slice(1),
  };
}

interface Named {
  readonly path: string;
  readonly output: Tensor;
}

/** A module of the model, not the model itself, with something that is there for each image. */
function isNamed(path: string, output: unknown): output is Tensor {
  return path !== "" && output instanceof Tensor && output.shape.length >= 2;
}

const hasExtent = ({ shape: [, , h = 1, w = 1, ...more] }: Tensor): boolean => more.length === 0 && h * w > 1;

function lastMap(layers: readonly Named[], order: readonly Node[]): string | undefined {
  const used = new Set(order);
  const maps = layers.filter(({ output }) => hasExtent(output) && used.has(output.node));
  const convolution = order.filter((node) => isConvolution(node) && hasExtent(node.outputs[0] as Tensor)).at(-1);
  const [, , h, w] = convolution?.outputs[0]?.shape ?? [];
  return (maps.filter(({ output: { shape } }) => shape[2] === h && shape[3] === w).at(-1) ?? maps.at(-1))?.path;
}

/** A window that multiplies and adds. */
const isConvolution = ({ op }: Node): boolean => op.window !== undefined && op.macs !== undefined;
