import "./histogram-picture.css";
import type { FunctionComponent } from "preact";
import type { Histogram } from "./histogram.js";

interface HistogramPictureProps {
  readonly histogram: Histogram;
  /** Stands above it, and says what the numbers are. */
  readonly name: string;
  /** What stands at both ends of the axis. */
  readonly ends: readonly [string, string];
}

/** Shares of values by bin. Heights are square roots, so that bins beside a tall one can be seen. */
export const HistogramPicture: FunctionComponent<HistogramPictureProps> = ({ histogram, name, ends }) => {
  const { shares } = histogram;
  return (
    <figure class="histogram">
      <figcaption class="small">{name}</figcaption>
      <svg viewBox={`0 0 ${shares.length} 16`} preserveAspectRatio="none" aria-hidden="true">
        {shares.map((share, i) => {
          const height = 16 * Math.sqrt(share);
          return <rect key={`${i}`} x={i} y={16 - height} width={0.9} height={height} />;
        })}
      </svg>
      <div class="row spread quiet small figures" aria-hidden="true">
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </div>
    </figure>
  );
};
