import { ArgumentError } from "@ocelli/core";
import { checkedModel, checkedTraining, fields } from "./checked.js";
import type { ModelSpec } from "./spec.js";
import type { TrainingSpec } from "./training.js";

/** What an address can hold: the network, and how it is trained. */
export interface Configuration {
  readonly model: ModelSpec;
  readonly training?: TrainingSpec;
}

const version = "1";

/** A chain of 200 layers with a training is about half as long; browsers and messengers take more. */
const longest = 32_000;

/** Text for an address: letters, digits, `-`, `_` and `.` only. */
export function encodeConfiguration(configuration: Configuration): string {
  const bytes = new TextEncoder().encode(JSON.stringify(configuration));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `${version}.${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/**
 * What a link holds, whole or not at all: unknown fields, numbers out of bounds, parts that nobody knows are refused.
 * @throws ArgumentError that says what is wrong and what to do
 */
export function decodeConfiguration(text: string): Configuration {
  if (text.length > longest)
    throw new ArgumentError(`the link is of ${text.length} characters; the playground reads up to ${longest}`);
  const [given = "", body = "", ...more] = text.split(".");
  if (!/^\d{1,4}$/.test(given) || more.length > 0) throw damaged(undefined);
  if (given !== version)
    throw new ArgumentError(`the link is of version ${given}; this playground reads version ${version}`);
  const value = parsed(body);
  try {
    const { model, training } = fields(value, "the link", ["model"], ["training"]);
    return {
      model: checkedModel(model),
      ...(training !== undefined && { training: checkedTraining(training) }),
    };
  } catch (error) {
    throw new ArgumentError(
      `what the link asks for is not possible here: ${(error as Error).message}. Nothing was changed.`,
      { cause: error },
    );
  }
}

function parsed(body: string): unknown {
  try {
    if (!/^[\w-]+$/.test(body)) throw new SyntaxError("not base64url");
    const bytes = Uint8Array.from(atob(body.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged(cause);
  }
}

const damaged = (cause: unknown): ArgumentError =>
  new ArgumentError(
    "the link is damaged: what it holds cannot be read. Ask for it again, or go on without it; nothing was changed.",
    { cause },
  );

/** The address of a page of this site with a configuration: what is shared. */
export function shareUrl(page: string, configuration: Configuration): string {
  return `${location.origin}${location.pathname}#${page}?c=${encodeConfiguration(configuration)}`;
}
