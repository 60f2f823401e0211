import { OcelliError } from "@ocelli/core";

/** Training went wrong: a loss or a parameter that is no finite number. */
export class TrainingError extends OcelliError {}
