import type { StateDict } from "@ocelli/core";
import type { Progress } from "@ocelli/training";
import { readLatestCheckpoint, StorageError, writeCheckpoint } from "@ocelli/training/web";
import { readJson, whyNotStored, writeFile } from "../../store/files.js";
import { findNetwork, folderOf, type SavedNetwork, saveAbout } from "../../store/networks.js";
import type { CurvePoint, EpochPoint, RunResult, RunState, StorageState } from "./api.js";
import type { RateChange } from "./rate.js";

/** What is kept of a run beside its network and its checkpoint. */
export interface RunRecord {
  readonly format: "ocelli-playground-run-1";
  readonly state: RunState;
  /** Where the checkpoint stands. */
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  /** Milliseconds since 1970. */
  readonly saved: number;
  readonly rates: readonly RateChange[];
  readonly points: readonly CurvePoint[];
  readonly epochs: readonly EpochPoint[];
  /** Of one that is done. */
  readonly result?: RunResult;
}

const file = "run.json";

/** What is kept of a run; undefined for a network that was not trained here, or whose file is torn. @throws StorageError */
export async function readRecord(id: string): Promise<RunRecord | undefined> {
  const record = (await readJson(await folderOf(id), file)) as RunRecord | undefined;
  return record?.format === "ocelli-playground-run-1" ? record : undefined;
}

/** The reader may have given it another name meanwhile. */
async function keepAbout(network: SavedNetwork): Promise<void> {
  const { title = network.title } = (await findNetwork(network.id)) ?? {};
  await saveAbout({ ...network, title });
}

export interface Snapshot {
  readonly values: StateDict;
  readonly progress: Progress;
}

/**
 * Keeps a run in the site's storage. Where that fails the run goes on: what would be stored stays in memory, and `storage` says why.
 */
export class RunKeeper {
  readonly #id: string;
  readonly #tell: (storage: StorageState) => void;
  #storage: StorageState = { kept: true, saved: null };
  /** Where the last checkpoint stands. */
  #at: Pick<Progress, "epoch" | "step"> = { epoch: 0, step: 0 };
  /** What could not be stored. */
  #unsaved: Snapshot | undefined;

  constructor(id: string, tell: (storage: StorageState) => void) {
    this.#id = id;
    this.#tell = tell;
  }

  get storage(): StorageState {
    return this.#storage;
  }

  /** The step that a failed run would go on from. */
  get step(): number {
    return this.#unsaved?.progress.step ?? this.#at.step;
  }

  /** There is a checkpoint already. */
  adopt({ epoch, step }: Progress, time: number): void {
    this.#at = { epoch, step };
    this.#storage = { kept: true, saved: { time, step } };
  }

  /** The curves first: those of later steps than the checkpoint's are left out when they are read, missing ones would be lost. */
  async save(
    kind: "last" | "best",
    snapshot: Snapshot,
    { network, record }: { readonly network: SavedNetwork; readonly record: RunRecord },
  ): Promise<void> {
    await this.#guarded(kind === "last" ? snapshot : undefined, async () => {
      const directory = await folderOf(this.#id);
      await writeFile(directory, file, JSON.stringify(record));
      await writeCheckpoint(directory, kind, snapshot);
      await keepAbout(network);
      this.#unsaved = undefined;
      this.adopt(snapshot.progress, Date.now());
      this.#tell(this.#storage);
    });
  }

  /** What changed beside the checkpoint. */
  async note(record: RunRecord, network?: SavedNetwork): Promise<void> {
    // Without a checkpoint there is nothing that it could be beside.
    if (this.#storage.saved === null) return;
    await this.#guarded(undefined, async () => {
      await writeFile(await folderOf(this.#id), file, JSON.stringify({ ...record, ...this.#at }));
      if (network !== undefined) await keepAbout(network);
    });
  }

  /** Where a failed run goes on, and what it has learnt. @throws ArgumentError, FormatError, StorageError */
  async load(): Promise<Snapshot> {
    return this.#unsaved ?? readLatestCheckpoint(await folderOf(this.#id));
  }

  /** @param snapshot that is kept in memory where it cannot be stored */
  async #guarded(snapshot: Snapshot | undefined, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#unsaved = snapshot ?? this.#unsaved;
      const problem = { reason: error.reason, message: whyNotStored(error) };
      this.#storage = { ...this.#storage, kept: false, problem };
      this.#tell(this.#storage);
    }
  }
}
