import type { Named, OptionValue } from "@ocelli/training";
import type { Surface } from "./surfaces.js";

/** Learning rates that work on a loss: `gradient` for rules that step by the gradient, `adaptive` for those that divide it by its size. */
export type Rates = Surface["rates"];

export interface Racer {
  readonly title: string;
  /** In @ocelli/training's table. */
  readonly optimizer: string;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly rate: keyof Rates;
}

export const racers: readonly Racer[] = [
  { title: "SGD", optimizer: "sgd", options: {}, rate: "gradient" },
  { title: "Momentum", optimizer: "sgd", options: { momentum: 0.9 }, rate: "gradient" },
  { title: "Nesterov", optimizer: "sgd", options: { momentum: 0.9, nesterov: true }, rate: "gradient" },
  { title: "AdaGrad", optimizer: "adagrad", options: {}, rate: "adaptive" },
  { title: "RMSprop", optimizer: "rmsprop", options: {}, rate: "adaptive" },
  { title: "Adam", optimizer: "adam", options: {}, rate: "adaptive" },
];

/** Those of the small network. */
export const networkRates: Rates = { gradient: 0.02, adaptive: 0.003 };

export const rateOf = ({ rate }: Racer, rates: Rates, factor: number): number => rates[rate] * factor;

/** The rule as @ocelli/training makes it. */
export const ruleOf = (racer: Racer, rates: Rates, factor: number): Named => ({
  name: racer.optimizer,
  options: { ...racer.options, lr: rateOf(racer, rates, factor) },
});
