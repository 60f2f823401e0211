import { ArgumentError } from "@ocelli/core";
import { type Named, type NormalizeOptions, normalize } from "@ocelli/training";
import { asData } from "../../../model/named.js";
import type { Fitted } from "../../../workers/export/api.js";

/** The images of a network, as far as normalisation goes. */
type Images = Pick<Fitted, "channels" | "preprocessing">;

/** What pixels may have gone through in a training that nobody wrote down. */
export interface Normalisation {
  readonly name: string;
  readonly label: string;
  readonly transform: Named;
}

/** The likely ones for a network's images, the likeliest first. */
export function normalisations(images: Images): Normalisation[] {
  const { channels, preprocessing } = images;
  const { mean, std } = preprocessing;
  const of = (name: string, label: string, options: NormalizeOptions): Normalisation => ({
    name,
    label,
    transform: named(images, options),
  });
  return [
    ...(mean?.length === channels && std?.length === channels
      ? [of("published", "As the network was published", { mean, std })]
      : []),
    ...(channels === 3
      ? [of("imagenet", "ImageNet's mean and deviation", { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })]
      : []),
    ...(channels === 1 ? [of("mnist", "MNIST's mean and deviation", { mean: [0.1307], std: [0.3081] })] : []),
    of("unit", "Pixels from 0 to 1", { mean: [0], std: [1] }),
    of("centred", "Pixels from -1 to 1", { mean: [0.5], std: [0.5] }),
    of("bytes", "Pixels from 0 to 255", { mean: [0], std: [1 / 255] }),
  ];
}

/** Numbers as somebody typed them, one for all channels or one for each. @throws ArgumentError */
export function ownNormalisation(images: Images, mean: string, std: string): Named {
  const { channels } = images;
  return named(images, {
    mean: numbers(mean, "the mean", channels),
    std: numbers(std, "the deviation", channels),
  });
}

function numbers(text: string, what: string, channels: number): number[] {
  const values = text
    .split(/[\s,;]+/)
    .filter((part) => part !== "")
    .map(Number);
  if (values.every(Number.isFinite) && (values.length === 1 || values.length === channels)) return values;
  const many = channels === 1 ? "one number" : `one number, or ${channels} with commas between`;
  throw new ArgumentError(`${what} is ${JSON.stringify(text)}; it needs ${many}`, { text });
}

/** With the border that the network's own images get. */
function named({ preprocessing: { pad } }: Images, options: NormalizeOptions): Named {
  return asData(normalize({ ...options, ...(pad !== undefined && { pad }) }));
}
