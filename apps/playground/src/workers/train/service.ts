import { StateError } from "@ocelli/core";
import { makeOptimizer } from "@ocelli/training";
import { buildModel } from "../../model/build.js";
import { deleteData, listData } from "../../store/data.js";
import {
  deleteNetwork,
  findNetwork,
  listNetworks,
  networkFormat,
  newId,
  readNetwork,
  type SavedNetwork,
} from "../../store/networks.js";
import { DeviceSlot } from "../device.js";
import { addData } from "./add-data.js";
import type { RunStatus, StartRequest, StoredRun, TrainApi, TrainEvent } from "./api.js";
import { describe } from "./data.js";
import { leastSide } from "./fitting.js";
import { gradientsOf } from "./gradients.js";
import { confusionOf, mistakesOf } from "./judge.js";
import { claimedRuns, claimRun } from "./lock.js";
import { activationsOf, filtersOf, layersOf } from "./looks.js";
import { openParts, titleOf } from "./opened.js";
import { plan } from "./plan.js";
import { augmentPreview, examplesOf } from "./preview.js";
import { readRecord } from "./record.js";
import { Run, type RunStart } from "./run.js";
import { openOrigin } from "./transfer.js";

/** What the worker's page asks for, carried out: see {@link TrainApi}. */
export class TrainService implements TrainApi {
  readonly #slot = new DeviceSlot();
  readonly #listeners: ((event: TrainEvent) => void)[] = [];
  #run: Run | undefined;
  #release: () => void = () => undefined;
  /** Starting and stopping, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  readonly #tell = (event: TrainEvent): void => {
    for (const listener of this.#listeners) listener(event);
  };

  readonly #preparing = (doing: string): void => this.#tell({ type: "preparing", doing });

  async open(wanted?: Parameters<TrainApi["open"]>[0]): ReturnType<TrainApi["open"]> {
    return (await this.#slot.open(wanted)).report;
  }

  async listen(listener: (event: TrainEvent) => void): Promise<void> {
    this.#listeners.push(listener);
  }

  async status(): Promise<RunStatus | null> {
    return this.#run?.status ?? null;
  }

  readonly plan = plan;

  async leastSize({ spec, data }: Parameters<TrainApi["leastSize"]>[0]): Promise<number | null> {
    const { image } = await describe(data, buildModel(spec));
    return leastSide(spec, image[0]);
  }

  readonly augmentPreview: TrainApi["augmentPreview"] = (request) => augmentPreview(this.#slot, request);

  readonly dataSets = listData;
  readonly addData = addData;
  readonly examples = examplesOf;

  async deleteData(name: string): Promise<void> {
    const { training } = this.#run?.status ?? {};
    if (this.#run?.isOpen && training?.data.kind === "stored" && training.data.name === name)
      throw new StateError(`A training uses ${name}. Stop it first.`, { name });
    await deleteData(name);
  }

  async runs(): Promise<StoredRun[]> {
    const [networks, isOpen] = await Promise.all([listNetworks(), claimedRuns()]);
    const own = this.#run?.status;
    const found = networks.map(async (network): Promise<StoredRun | undefined> => {
      const record = await readRecord(network.id);
      if (record === undefined || network.training === undefined) return undefined;
      const { epoch, step, steps, saved, state } = record;
      const isOwn = own?.id === network.id;
      return {
        ...{ network, epoch, step, epochs: network.training.epochs, steps, saved },
        state:
          state === "done" || state === "paused" || state === "stopped" || state === "failed" ? state : "interrupted",
        open: isOpen(network.id) && !isOwn,
      };
    });
    return (await Promise.all(found)).flatMap((run) => run ?? []);
  }

  start({ spec, training, title, from }: StartRequest): Promise<RunStatus> {
    return this.#inTurn(async () => {
      const { parts, begun } = await this.#leaving(async () => {
        const opened = await openParts(this.#slot, { spec, training, headOnly: from?.headOnly }, this.#preparing);
        const target = { built: opened.built, classes: opened.data.summary.classes };
        return { parts: opened, begun: from && (await openOrigin(from, target, training.seed)) };
      });
      const network: SavedNetwork = {
        format: networkFormat,
        id: newId(),
        title: title ?? titleOf(parts),
        spec: parts.spec,
        classes: parts.data.summary.classes,
        transform: parts.transform,
        created: Date.now(),
        source: "trained",
        training,
        ...(begun && { origin: begun.origin }),
        accuracy: null,
      };
      return this.#begin({ network, values: begun?.values }, parts);
    });
  }

  continueRun(id: string): Promise<RunStatus> {
    return this.#inTurn(async () => {
      const network = await findNetwork(id);
      const { training, spec, origin } = network ?? {};
      if (network === undefined || training === undefined || spec === undefined)
        throw new StateError("There is no such training in this browser any more.", { id });
      const { snapshot, record, parts } = await this.#leaving(async () => {
        this.#release = await claimRun(id);
        const { values, progress } = await readNetwork(id);
        return {
          snapshot: { values, progress },
          record: await readRecord(id),
          parts: await openParts(this.#slot, { spec, training, headOnly: origin?.headOnly }, this.#preparing),
        };
      });
      return this.#begin({ network, before: { snapshot, record } }, parts);
    });
  }

  discardRun(id: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#run?.id === id) await this.#leave();
      const release = await claimRun(id);
      try {
        await deleteNetwork(id);
        if (this.#run?.id === id) this.#run = undefined;
      } finally {
        release();
      }
    });
  }

  async pause(): Promise<RunStatus> {
    await this.#current().pause();
    return this.#current().status;
  }

  async resume(): Promise<RunStatus> {
    await this.#current().resume();
    return this.#current().status;
  }

  async step(): Promise<RunStatus> {
    await this.#current().step();
    return this.#current().status;
  }

  stop(): Promise<RunStatus> {
    return this.#inTurn(async () => {
      await this.#leave();
      return this.#current().status;
    });
  }

  readonly held: TrainApi["held"] = async () => this.#current().held();

  async setLearningRate(factor: number): Promise<RunStatus> {
    await this.#current().setRate(factor);
    return this.#current().status;
  }

  async layers(): ReturnType<TrainApi["layers"]> {
    return layersOf(this.#current().inside);
  }

  readonly filters: TrainApi["filters"] = (layer, atMost) => this.#look((inside) => filtersOf(inside, layer, atMost));
  readonly activations: TrainApi["activations"] = (request) => this.#look((inside) => activationsOf(inside, request));
  readonly confusion: TrainApi["confusion"] = () => this.#look(confusionOf);
  readonly mistakes: TrainApi["mistakes"] = (atMost) => this.#look((inside) => mistakesOf(inside, atMost));
  readonly gradients: TrainApi["gradients"] = () =>
    this.#look((inside) =>
      gradientsOf(inside, this.#current().status.live.lr ?? makeOptimizer(inside.training.optimizer).lr),
    );

  #look<T>(look: (inside: Run["inside"]) => Promise<T>): Promise<T> {
    const run = this.#current();
    return run.turns.take(() => look(run.inside));
  }

  #current(): Run {
    if (this.#run === undefined) throw new StateError("There is no training: start one, or go on with a stored one.");
    return this.#run;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Stops and saves what runs, and lets other tabs have it. */
  async #leave(): Promise<void> {
    await this.#run?.close();
    this.#release();
    this.#release = () => undefined;
  }

  /** Makes ready what comes after the run that there is; where that fails nothing is claimed. */
  async #leaving<T>(prepare: () => Promise<T>): Promise<T> {
    await this.#leave();
    try {
      return await prepare();
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async #begin(start: RunStart, parts: Awaited<ReturnType<typeof openParts>>): Promise<RunStatus> {
    if (start.before === undefined) this.#release = await claimRun(start.network.id);
    const run = new Run(this.#slot, start, { parts, tell: this.#tell });
    this.#run = run;
    await run.begin(start);
    return run.status;
  }
}
