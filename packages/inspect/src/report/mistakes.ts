import { ArgumentError } from "@ocelli/core";
import { escapeMarkup } from "../markup.js";
import { embedded } from "./embedded.js";
import type { EvaluationRecord, Mistake, Picture, ReportOptions } from "./run-report.js";
import { percent, type Section } from "./words.js";

/** Smaller pictures are shown larger, each pixel as a square. */
const shownSide = 104;

/** Images on which the loss is highest, each with what it was taken for. */
export async function mistakes(evaluation: EvaluationRecord, options: ReportOptions): Promise<Section | undefined> {
  const { classes, mistakes: list = [] } = evaluation;
  if (list.length === 0) return undefined;
  const items = await Promise.all(list.map((mistake) => mistakeItem(mistake, classes, options)));
  const about =
    "The wrong predictions with the highest loss, the worst first: the true class with its probability, and what it was taken for.";
  return {
    id: "mistakes",
    title: "Worst mistakes",
    body: `<p>${about}</p>\n<ul class="pictures">\n${items.join("\n")}\n</ul>`,
  };
}

async function mistakeItem(mistake: Mistake, classes: readonly string[], options: ReportOptions): Promise<string> {
  const { label, index, loss, probability, predicted } = mistake;
  const name = (of: number): string => escapeMarkup(classes[of] ?? `${of}`);
  const [first, ...others] = predicted.map((guess) => [name(guess.label), percent(guess.probability, 1)] as const);
  const alt = `Image ${index}: ${name(label)}, taken for ${first?.[0] ?? "nothing"}`;
  const lines = [
    ...(others.length === 0 ? [] : [others.map((other) => other.join(" ")).join(", ")]),
    `loss ${Number.isFinite(loss) ? loss.toFixed(2) : "∞"}, image ${index}`,
  ];
  return `<li>${await image(interleaved(mistake), alt, options)}
<span class="true">${name(label)} <span class="quiet">${percent(probability, 1)}</span></span>
<span class="guess"><b>${first?.[0] ?? "–"}</b> ${first?.[1] ?? ""}</span>
<span class="quiet rest">${lines.join("<br>")}</span></li>`;
}

async function image(picture: Picture, alt: string, options: ReportOptions): Promise<string> {
  const longest = Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((side) =>
    Math.max(1, Math.round((shownSide * side) / longest)),
  );
  const kind = longest < shownSide ? ' class="pixels"' : "";
  return `<img src="${await embedded(picture, options)}" alt="${alt}" width="${width}" height="${height}"${kind}>`;
}

/** Planes to pixels. */
function interleaved({ pixels, shape: [channels, height, width] }: Mistake): Picture {
  if ((channels !== 1 && channels !== 3) || pixels.length !== channels * height * width)
    throw new ArgumentError(
      `reportHtml: a picture of shape [${channels}, ${height}, ${width}] has ${pixels.length} bytes; it needs 1 or 3 channels, and a byte for each value`,
    );
  const plane = height * width;
  const out = new Uint8Array(pixels.length);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++) out[i * channels + c] = pixels[c * plane + i] as number;
  return { pixels: out, width, height, channels };
}
