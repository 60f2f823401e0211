import { ArgumentError } from "@ocelli/core";
import type { ModelSpec } from "./spec.js";
import type { TrainingSpec } from "./training.js";

/** What an address can hold: the network, and how it is trained. */
export interface Configuration {
  readonly model: ModelSpec;
  readonly training?: TrainingSpec;
}

const version = "1";

/** Text for an address: letters, digits, `-`, `_` and `.` only. */
export function encodeConfiguration(configuration: Configuration): string {
  const bytes = new TextEncoder().encode(JSON.stringify(configuration));
  const text = btoa(String.fromCharCode(...bytes));
  return `${version}.${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** @throws ArgumentError that says what is wrong with the text; what it names is tried by `buildModel` and by the parts' own makers */
export function decodeConfiguration(text: string): Configuration {
  const [given, body = ""] = text.split(".");
  if (given !== version)
    throw new ArgumentError(`the link is of version "${given}"; this playground reads version ${version}`, { text });
  let value: unknown;
  try {
    const bytes = Uint8Array.from(atob(body.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ArgumentError(
      "the link is damaged: what it holds cannot be read. Ask for it again, or begin without it.",
      { text, cause },
    );
  }
  const model = (value as { model?: { kind?: unknown } } | null)?.model;
  if (!["zoo", "family", "layers"].includes(model?.kind as string))
    throw new ArgumentError("the link names no network of a kind that the playground knows", { text });
  return value as Configuration;
}

/** The address of a page of this site with a configuration: what is shared. */
export function shareUrl(page: string, configuration: Configuration): string {
  return `${location.origin}${location.pathname}#${page}?c=${encodeConfiguration(configuration)}`;
}
