import "./ensemble-picture.css";
import type { FunctionComponent } from "preact";
import { useMemo } from "preact/hooks";
import { formatPercent } from "../../../format.js";
import { Pixels } from "../../../ui/index.js";
import type { Ensemble, Thinned } from "./ensemble.js";
import type { Method } from "./network.js";

interface EnsemblePictureProps {
  readonly ensemble: Ensemble;
  readonly method: Method;
}

/** One test image, some of the drawn networks with what is left of them, and what each says. */
export const EnsemblePicture: FunctionComponent<EnsemblePictureProps> = ({ ensemble, method }) => {
  const { image, label, members } = ensemble;
  const rgba = useMemo(() => grey(image), [image]);
  return (
    <div class="ensemble">
      <figure>
        <Pixels label={`Test image: a ${label}`} rgba={rgba} width={28} height={28} size={112} />
        <figcaption class="small">A test image, a {label}</figcaption>
      </figure>
      <div class="stack grow">
        <p>
          {members.length} of the networks that were drawn. Coloured is what is left:{" "}
          {method === "dropout" ? "the units of both hidden layers." : "the eight residual blocks, first to last."}
        </p>
        <ul class="ensemble-members">
          {members.map((member, i) => (
            <li key={`${i}`}>
              <Masks masks={member.masks} />
              <span class={member.answer === label ? "ensemble-right" : "ensemble-wrong"}>
                says {member.answer}
                <span class="quiet small"> with {formatPercent(member.probability, 0)}</span>
              </span>
              <span class="visually-hidden">{keptText(member)}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
};

function grey(image: Uint8Array): Uint8ClampedArray {
  const rgba = new Uint8ClampedArray(4 * image.length).fill(255);
  for (const [i, value] of image.entries()) rgba.fill(value, 4 * i, 4 * i + 3);
  return rgba;
}

const keptText = ({ masks }: Thinned): string => {
  const parts = masks.flat();
  return `, ${parts.filter((kept) => kept === 1).length} of ${parts.length} parts kept`;
};

/** Layers of units as squares side by side; blocks as a row. */
const Masks: FunctionComponent<Pick<Thinned, "masks">> = ({ masks }) => (
  <span class="ensemble-masks">
    {masks.map((mask, i) => {
      const side = Math.round(Math.sqrt(mask.length));
      return (
        <svg
          key={`${i}`}
          viewBox={`0 0 ${side} ${side}`}
          aria-hidden="true"
          style={{ width: `${side === 1 ? 12 : 48}px` }}
        >
          {mask.map((kept, at) => (
            <rect
              key={`${at % side} ${Math.floor(at / side)}`}
              x={at % side}
              y={Math.floor(at / side)}
              width={0.9}
              height={0.9}
              class={kept === 1 ? "kept" : "left-out"}
            />
          ))}
        </svg>
      );
    })}
  </span>
);
