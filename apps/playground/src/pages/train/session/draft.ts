import { batch, computed, effect, signal } from "@preact/signals";
import type { ModelSpec } from "../../../model/spec.js";
import type { Beginning, DataSpec, TrainingChanges, TrainingSpec } from "../../../model/training.js";
import { Newest } from "../../../newest.js";
import { currentModel, currentTraining } from "../../../state.js";
import { savedSource } from "../../../store/listing.js";
import type { GivenBeginning, StoredData, TrainPlan } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";

export const digitsData: DataSpec = { kind: "digits", count: 10_000 };

/** The data that are chosen, and what the reader has changed of the proposal: both stay when the network is another one. */
export const chosenData = signal<DataSpec>(digitsData);
export const changes = signal<TrainingChanges>({});

/** The network whose values are begun with; undefined: chance. */
export const beginning = signal<Beginning | undefined>(undefined);

/** A beginning as the worker is told it: with the network, where the storage has not got it. */
export const given = ({ network, headOnly }: Beginning): GivenBeginning => ({ source: savedSource(network), headOnly });

export const givenBeginning = computed(() => beginning.value && given(beginning.value));

/** Pictures that are scaled up because the network takes no smaller ones; another network may. */
export const scaled = signal<{ readonly spec: ModelSpec; readonly size: number } | undefined>(undefined);

/** The data as they are trained on. */
export const plannedData = computed((): DataSpec => {
  const size = scaled.value?.spec === currentModel.value ? scaled.value.size : undefined;
  return size === undefined ? chosenData.value : { ...chosenData.value, size };
});

const planner = new Newest<TrainPlan>();
/** Something has changed, and the worker is about to be asked. */
const isChanging = signal(false);

/** What the worker makes of network, data and changes; while a new one is wanted (`planning`), the one before. */
export const plan = computed(() => planner.state.value.value);
export const planning = computed(() => isChanging.value || planner.state.value.busy);
/** Why network and data do not go together. */
export const planProblem = computed(() => planner.state.value.error?.message);

/** Sets of the site's storage. */
export const dataSets = signal<readonly StoredData[]>([]);
/** Why the storage cannot be read. */
export const dataProblem = signal<string | undefined>(undefined);

export const isChanged = computed(() => Object.keys(changes.value).length > 0);

export const change = (fields: TrainingChanges): void => {
  changes.value = { ...changes.value, ...fields };
};

/** Leaves a field to the proposal again. */
export const unchange = (field: keyof TrainingChanges): void => {
  const { [field]: _, ...rest } = changes.value;
  changes.value = rest;
};

export const unchangeAll = (): void => {
  changes.value = {};
};

/** What two data sets are told apart by. */
export const keyOfData = (data: DataSpec): string => (data.kind === "digits" ? "digits" : `stored:${data.name}`);

export async function refreshDataSets(): Promise<void> {
  const { sets, problem } = await trainer().dataSets();
  dataSets.value = sets;
  dataProblem.value = problem;
}

function makePlan(): void {
  const request = {
    spec: currentModel.value,
    data: plannedData.value,
    changes: changes.value,
    from: givenBeginning.value,
  };
  planner.ask(() => trainer().plan(request));
  isChanging.value = false;
}

/** What a training may lack: who brings one without them wants none. */
const noParts: TrainingChanges = { loss: undefined, clip: undefined, average: undefined, noDecay: undefined };

/** What a link or another page brought counts as the reader's own. */
function takeOver(training: TrainingSpec | undefined): void {
  if (training === undefined || training === published) return;
  published = training;
  const { data, ...fields } = training;
  batch(() => {
    chosenData.value = data;
    changes.value = { ...noParts, ...fields };
  });
}

/** What `currentTraining` holds as this page knows it. */
let published: TrainingSpec | undefined;

/** What the reader changed is seen by other pages, too; a proposal is no wish. */
function publish(made: TrainPlan | undefined, changed: boolean): void {
  if (made === undefined || currentTraining.peek() !== published) return;
  published = changed ? made.training : undefined;
  currentTraining.value = published;
}

/** Keeps the plan in step with what it is made of, and other pages with the plan; until the function that it gives is called. */
export function followDraft(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stops = [
    effect(() => takeOver(currentTraining.value)),
    effect(() => {
      void [currentModel.value, plannedData.value, changes.value, givenBeginning.value];
      clearTimeout(timer);
      // From now on the plan that is there is the wrong one to start with.
      isChanging.value = true;
      // Who types changes several times in a row.
      timer = setTimeout(makePlan, 120);
    }),
    effect(() => publish(plan.value, isChanged.value)),
  ];
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
  };
}
