import type { FunctionComponent } from "preact";
import { LineChart, Panel } from "../../../ui/index.js";
import type { CurvePoint, EpochPoint } from "../../../workers/train/api.js";
import { judgedAccuracy } from "./judged.js";
import { smoothed } from "./smooth.js";

interface CurvesProps {
  readonly points: readonly CurvePoint[];
  readonly epochs: readonly EpochPoint[];
  /** Which images judge each epoch. */
  readonly judged: "validation" | "test";
  /** Epochs of the whole run. */
  readonly length: number;
}

/** Loss and accuracy, of training and of what judges it. */
export const Curves: FunctionComponent<CurvesProps> = ({ points, epochs, judged, length }) => {
  const x = points.map(({ epoch }) => epoch);
  // What chance does from batch to batch would hide the course.
  const window = Math.max(1, Math.round(points.length / 60));
  const ends = epochs.map(({ epoch }) => epoch);
  const judgedBy = (of: (point: EpochPoint) => number | null) => ({
    name: judged,
    x: ends,
    y: epochs.map(of),
    dashed: true,
  });
  return (
    <div class="train-curves">
      <Panel title="Loss">
        <LineChart
          label="Loss over epochs"
          xLabel="epoch"
          xRange={[0, length]}
          series={[
            {
              name: "training",
              x,
              y: smoothed(
                points.map(({ loss }) => loss),
                window,
              ),
            },
            judgedBy(({ validationLoss, testLoss }) => validationLoss ?? testLoss),
          ]}
        />
      </Panel>
      <Panel title="Accuracy">
        <LineChart
          label="Accuracy in percent over epochs"
          xLabel="epoch"
          xRange={[0, length]}
          yLabel="%"
          range={[0, 100]}
          series={[
            {
              name: "training",
              x,
              y: smoothed(
                points.map(({ accuracy }) => 100 * accuracy),
                window,
              ),
            },
            judgedBy((epoch) => percent(judgedAccuracy(epoch))),
          ]}
        />
      </Panel>
    </div>
  );
};

const percent = (share: number | null): number | null => (share === null ? null : 100 * share);
