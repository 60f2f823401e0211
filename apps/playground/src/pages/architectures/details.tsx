import "./details.css";
import { formatBytes } from "@ocelli/inspect";
import type { ComponentChildren, FunctionComponent } from "preact";
import { formatNumber } from "../../format.js";
import { Panel } from "../../ui/index.js";
import type { Analysis } from "../../workers/analysis/api.js";
import { FieldView } from "./field/field-view.js";
import { type Chosen, factsOf, type LayerFacts } from "./selection.js";
import { pairText, shapeText } from "./words.js";

interface DetailsProps {
  readonly analysis: Analysis;
  readonly shown: Chosen;
}

/** All about one layer, and what it sees of a picture. */
export const Details: FunctionComponent<DetailsProps> = ({ analysis, shown }) => {
  const facts = factsOf(analysis, shown);
  if (facts === undefined) return null;
  const [, height, width, ...more] = facts.outputShape ?? [];
  const isMap = height !== undefined && width !== undefined && more.length === 0;
  return (
    <Panel class="layer-details">
      <div>
        <h2 class="layer-name">
          {facts.path === "" ? facts.type : facts.path}
          {facts.repeat > 1 ? ` … ${facts.lastPath.slice(facts.lastPath.lastIndexOf(".") + 1)}` : ""}
        </h2>
        <span class="quiet small">
          {facts.path === "" ? "" : facts.type} {facts.detail.replaceAll("x", " × ").replace(/ ?\//, ", stride ")}
          {facts.repeat > 1 ? `, ${facts.repeat} times; the numbers are those of the first` : ""}
        </span>
      </div>
      <Facts facts={facts} />
      {facts.field === null || !isMap ? (
        <p class="quiet small">Its output is no map of the image: each value sees all that came before.</p>
      ) : (
        <FieldView image={analysis.input} field={facts.field} map={[height, width]} />
      )}
    </Panel>
  );
};

/** What is told, and a note below it. */
type Fact = readonly [name: string, value: ComponentChildren, note?: string | undefined];

const Facts: FunctionComponent<{ readonly facts: LayerFacts }> = ({ facts }) => {
  const { inputShapes, outputShape, weights, biases, macs, storedValues, field } = facts;
  const rows: readonly Fact[] = [
    ...(inputShapes.length === 0
      ? []
      : [
          [
            "Input",
            inputShapes.slice(0, 3).map(shapeText).join(" and ") +
              (inputShapes.length > 3 ? ` and ${inputShapes.length - 3} more` : ""),
          ] as const,
        ]),
    ["Output", outputShape === null ? "-" : shapeText(outputShape), "channels × height × width"],
    [
      "Parameters",
      formatNumber(weights + biases),
      weights + biases === 0 ? undefined : `${formatNumber(weights)} weights, ${formatNumber(biases)} biases`,
    ],
    ["Multiply-adds", formatNumber(macs), "for one image"],
    storedValues === null
      ? ["Memory", "with its block"]
      : [
          "Memory",
          storedValues === 0 ? "in place" : formatBytes(4 * storedValues),
          storedValues === 0 ? "written over its input" : `${formatNumber(storedValues)} values`,
        ],
    ...(field === null
      ? []
      : [
          [
            "Receptive field",
            `${field.size[0]} × ${field.size[1]}`,
            `pixels, one field every ${pairText(field.stride) === "1" ? "pixel" : pairText(field.stride)}`,
          ] as const,
        ]),
  ];
  return (
    <dl class="layer-facts figures">
      {rows.map(([name, value, note]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd key={`${name} value`}>
            {value}
            {note === undefined ? null : <small>{note}</small>}
          </dd>
        </>
      ))}
    </dl>
  );
};
