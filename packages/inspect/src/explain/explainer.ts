import {
  ArgumentError,
  type Device,
  DisposedError,
  flattenState,
  formatSpec,
  type Handle,
  type HostTensor,
  type Program,
  type Shape,
  type Spec,
  type Specs,
  State,
  type StateDict,
  type Tensor,
  type Tensors,
  type Traceable,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { layersOf, type NetworkLayers } from "./layers.js";
import { type Network, Pass, pixelsOf } from "./pass.js";

export interface ExplainerOptions extends Network {
  /**
   * Parameters and buffers: values, which are put on the device once for all programs, or a state that lives there, which stays the
   * caller's and is seen as it is when something is asked.
   */
  readonly values: State | StateDict;
  /** How many compiled programs are kept for the next time. Default 8. */
  readonly programs?: number | undefined;
}

/** What an {@link Explainer} computes: a graph of a pass, or of several. */
export interface Question<Output extends string> {
  /** What tells it from other questions about inputs of the same shapes. */
  readonly name: string;
  /** Among them the images, uint8 or float32 `[N, C, H, W]`. */
  readonly inputs: Readonly<Record<string, HostTensor>> & { readonly images: HostTensor };
  /** From the pixels (the images as float32 in 0..1), the inputs, and the network as a function of pixels. */
  readonly build: (pixels: Tensor, inputs: Tensors, forward: (pixels: Tensor) => Pass) => Record<Output, Tensor>;
  /**
   * For many passes: values that were given as such become constants of the program, a further copy on the device, so that it may fuse and
   * repack them. Default false.
   */
  readonly frozen?: boolean | undefined;
}

interface Held {
  readonly program: Promise<Program>;
  users: number;
}

/**
 * A network on a device that is asked what it looks at. Programs are compiled at the first question of a kind and shape, and kept.
 * Dispose of it: values that it was given, and programs, are memory of the device.
 */
export class Explainer implements Disposable {
  readonly #device: Device;
  readonly #network: Network;
  readonly #state: State;
  /** Values that the caller gave, whose state is our own. */
  readonly #values: StateDict | undefined;
  readonly #limit: number;
  /** In the order of their last use. */
  readonly #programs = new Map<string, Held>();
  readonly #layers = new Map<string, NetworkLayers>();
  #disposed = false;

  /** @internal {@link explainer} makes it. */
  constructor(device: Device, state: State, { model, transform, values, programs = 8 }: ExplainerOptions) {
    if (!Number.isSafeInteger(programs) || programs < 1)
      throw new ArgumentError(`explainer: programs is ${programs}; it needs a whole number, 1 or more`, { programs });
    this.#device = device;
    this.#network = { model, transform };
    this.#state = state;
    this.#values = values instanceof State ? undefined : values;
    this.#limit = programs;
  }

  /** The layers that can be shown of such an image `[C, H, W]`, with this explainer's transform: {@link layersOf}. */
  layers(image: Shape): NetworkLayers {
    const key = image.join();
    const known = this.#layers.get(key) ?? layersOf(this.#network.model, image, this.#network);
    this.#layers.set(key, known);
    return known;
  }

  /**
   * Computes something of one's own: what this package asks is made of it.
   * @throws ArgumentError, ShapeError for what the model does not take; DisposedError
   */
  async ask<Output extends string>(question: Question<Output>): Promise<Record<Output, HostTensor>> {
    if (this.#disposed) throw new DisposedError("explainer: it was disposed");
    const held = this.#hold(question);
    try {
      const handles = await (await held.program).run(question.inputs, this.#state);
      const read = async ([name, handle]: [string, Handle]) => [name, await handle.read()] as const;
      return Object.fromEntries(await Promise.all(Object.entries(handles).map(read))) as Record<Output, HostTensor>;
    } finally {
      held.users--;
      this.#trim(this.#disposed ? 0 : this.#limit);
    }
  }

  [disposeKey](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#trim(0);
    if (this.#values !== undefined) this.#state.dispose();
  }

  #hold<Output extends string>(question: Question<Output>): Held {
    const { name, inputs } = question;
    const specs: Record<string, Spec> = {};
    for (const [input, { shape, dtype }] of Object.entries(inputs)) specs[input] = { shape, dtype };
    const key = [name, ...Object.entries(specs).map(([input, spec]) => `${input} ${formatSpec(spec)}`)].join("; ");
    const held = this.#programs.get(key) ?? { program: this.#compile(key, specs, question), users: 0 };
    this.#programs.delete(key);
    this.#programs.set(key, held);
    held.users++;
    return held;
  }

  async #compile(key: string, inputs: Specs, { build, frozen = false }: Question<string>): Promise<Program> {
    const program: Traceable = {
      inputs,
      state: this.#network.model.stateSpecs(),
      build: (given, values) => {
        const forward = (pixels: Tensor): Pass => new Pass(this.#network, pixels, values);
        return { outputs: build(pixelsOf(given.images as Tensor), given, forward) };
      },
    };
    try {
      const constants = frozen && this.#values !== undefined ? flattenState(this.#values) : [];
      return await this.#device.compile(program, { frozen: Object.fromEntries(constants) });
    } catch (error) {
      // It may have been for want of memory: the next question tries again.
      this.#programs.delete(key);
      throw error;
    }
  }

  /** Gives back the programs that were not used for longest; one that runs is given back when it has run. */
  #trim(limit: number): void {
    for (const [key, { program, users }] of this.#programs) {
      if (this.#programs.size <= limit) return;
      if (users > 0) continue;
      this.#programs.delete(key);
      // Whoever asked for a program that failed was told so.
      void program.then(
        (compiled) => compiled[disposeKey](),
        () => undefined,
      );
    }
  }
}

/**
 * Makes a network ready to be asked what it looks at, on any device.
 *
 * Explanations are about the pixels as they are given, before the transform, in 0..1 (uint8 is divided by 255): results lie on the image,
 * whatever the transform does to it, and a gradient says by how much a score changes from black to white. With `normalize` this is
 * the gradient with respect to what the model takes, divided by each channel's `std`.
 * @throws ArgumentError for options that make no sense
 */
export async function explainer(device: Device, options: ExplainerOptions): Promise<Explainer> {
  const { values } = options;
  if (values instanceof State) return new Explainer(device, values, options);
  const state = await device.createState({ params: values.params ?? {}, buffers: values.buffers ?? {} });
  try {
    return new Explainer(device, state, options);
  } catch (error) {
    state.dispose();
    throw error;
  }
}
