import { makeOptimizer, type Named } from "@ocelli/training";

/** A number that an optimizer takes besides its learning rate and its weight decay. */
export interface OptimizerNumber {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly default: number;
  readonly max: number;
}

/** An optimizer as the form shows it. */
export interface OptimizerKind {
  readonly name: string;
  readonly title: string;
  /** One sentence for a student. */
  readonly about: string;
  readonly lr: number;
  readonly weightDecay: number;
  readonly numbers: readonly OptimizerNumber[];
}

const momentum: OptimizerNumber = {
  name: "momentum",
  label: "Momentum",
  hint: "share of the last step that the next one keeps",
  default: 0.9,
  max: 0.999,
};

const kept = (name: string, value: number): OptimizerNumber => ({
  name,
  label: "Memory",
  hint: "share of the running square that a step keeps",
  default: value,
  max: 0.9999,
});

const betas: readonly OptimizerNumber[] = [
  { name: "beta1", label: "Beta 1", hint: "memory of the gradient", default: 0.9, max: 0.999 },
  { name: "beta2", label: "Beta 2", hint: "memory of its square", default: 0.999, max: 0.99999 },
];

/** What @ocelli/training has, with rates that they commonly start from. */
export const optimizerKinds: readonly OptimizerKind[] = [
  {
    name: "sgd",
    title: "SGD with momentum",
    about: "Steps against the gradient, carried on by what came before.",
    lr: 0.01,
    weightDecay: 0,
    numbers: [momentum],
  },
  {
    name: "adam",
    title: "Adam",
    about: "Each parameter's step is divided by the size of its recent gradients.",
    lr: 1e-3,
    weightDecay: 0,
    numbers: betas,
  },
  {
    name: "adamw",
    title: "AdamW",
    about: "Adam whose weight decay does not pass through the division.",
    lr: 1e-3,
    weightDecay: 0.01,
    numbers: betas,
  },
  {
    name: "nadam",
    title: "NAdam",
    about: "Adam that looks ahead along its momentum.",
    lr: 2e-3,
    weightDecay: 0,
    numbers: betas,
  },
  {
    name: "rmsprop",
    title: "RMSprop",
    about: "Divides by a running root mean square of the gradient.",
    lr: 1e-3,
    weightDecay: 0,
    numbers: [kept("alpha", 0.99), { ...momentum, default: 0 }],
  },
  {
    name: "adagrad",
    title: "Adagrad",
    about: "Divides by all gradients so far: rates only fall.",
    lr: 0.01,
    weightDecay: 0,
    numbers: [],
  },
  {
    name: "adadelta",
    title: "Adadelta",
    about: "Measures its steps by its own earlier ones; a rate of 1 is usual.",
    lr: 1,
    weightDecay: 0,
    numbers: [kept("rho", 0.9)],
  },
  {
    name: "lars",
    title: "LARS",
    about: "Scales each layer's step to the layer's own size, for very large batches.",
    lr: 1,
    weightDecay: 0,
    numbers: [momentum],
  },
];

export const optimizerKind = (name: string): OptimizerKind =>
  optimizerKinds.find((kind) => kind.name === name) ?? (optimizerKinds[0] as OptimizerKind);

/** A number of an optimizer's data; what it leaves out has the library's own value. */
export function numberOf({ name, options }: Named, field: string): number {
  const given = options[field];
  if (typeof given === "number") return given;
  const { name: known, lr } = optimizerKind(name);
  return Number(makeOptimizer({ name: known, options: { lr } }).options[field]);
}

export const withNumber = ({ name, options }: Named, field: string, value: number): Named => {
  const next = { ...options, [field]: value };
  // Nesterov's step looks ahead along the momentum: without any there is none.
  return { name, options: "nesterov" in next && next.momentum === 0 ? { ...next, nesterov: false } : next };
};

/** Another optimizer, as it commonly starts. */
export function freshOptimizer(name: string): Named {
  const { lr, weightDecay, numbers } = optimizerKind(name);
  const rest = Object.fromEntries(numbers.map((number) => [number.name, number.default]));
  return { name, options: { lr, ...(weightDecay > 0 && { weightDecay }), ...rest } };
}
