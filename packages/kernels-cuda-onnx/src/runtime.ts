/**
 * The part of onnxruntime's interface that the device uses. `onnxruntime-node` and `onnxruntime-web` both have it; a module of either
 * can be handed to {@link onnx}.
 */
export interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<RuntimeSession>;
  };
  readonly Tensor: new (type: string, data: never, dims: readonly number[]) => RuntimeTensor;
  readonly env: {
    readonly versions: Readonly<Record<string, string | undefined>>;
    readonly wasm?: { numThreads?: number };
  };
}

export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** Throws unless the tensor is in host memory. */
  readonly data: unknown;
  dispose?(): void;
}

export interface RuntimeSession {
  /** `fetches`: the outputs that are wanted; a tensor is written into, null asks for a fresh one. */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, RuntimeTensor | null>>,
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

/** Execution providers that a device may be asked for. */
export type Provider = "cpu" | "cuda" | "webgpu";

/** What differs between Node and a browser: made by `runtime.node.ts` and `runtime.web.ts`. */
export interface Platform {
  /** The package that {@link load} imports. */
  readonly packageName: string;
  load(): Promise<Runtime>;
  /** The processor's name. */
  readonly adapter: string;
  /** Threads that pay off: physical cores. Undefined: the runtime decides. */
  readonly threads: number | undefined;
  /** Where the CUDA provider's library lies, or why there is none. */
  cuda(): CudaLibrary;
}

export type CudaLibrary =
  | { readonly found: true; readonly path: string }
  | { readonly found: false; readonly reason: string; readonly remedy?: string };
