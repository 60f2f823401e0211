import { sortHead } from "../plot/document.js";

/** A column: numbers stand on the right. */
export interface Head {
  readonly title: string;
  readonly kind: "" | "number";
}

export const textColumn = (title: string): Head => ({ title, kind: "" });
export const numberColumn = (title: string): Head => ({ title, kind: "number" });

/** A row of cells that are markup. The first names the row. */
export const row = ([head, ...cells]: readonly string[]): string =>
  `<tr><th scope="row">${head}</th>${cells.join("")}</tr>`;

/** A cell with a number, which tables sort by. */
export const numberCell = (shown: string, value: number): string =>
  `<td class="number" data-value="${Number.isFinite(value) ? value : -1}">${shown}</td>`;

export interface TableOptions {
  /** For those who do not see what stands above it. */
  readonly label: string;
  /** Heads sort the rows. Default: false. */
  readonly sortable?: boolean;
}

/** A table that scrolls within itself where the page is narrow. */
export function table(
  heads: readonly Head[],
  rows: readonly string[],
  { label, sortable = false }: TableOptions,
): string {
  const head = heads.map(({ title, kind }) =>
    sortable ? sortHead(title, kind) : `<th scope="col"${kind && ` class="${kind}"`}>${title}</th>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="numbers${sortable ? " sortable" : ""}"><thead><tr>${head.join("")}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

/** Rows of a table of layers, and how many of them are shown without a click. */
export const layerLimit = 120;
const openLimit = 30;

interface LayerTableOptions {
  readonly label: string;
  /** Of layers, with those that have no row any more. */
  readonly count: number;
}

/** A table of layers; a long one opens at a click. */
export function layerTable(
  heads: readonly Head[],
  rows: readonly string[],
  { label, count }: LayerTableOptions,
): string {
  const all = table(heads, rows, { label });
  if (count <= openLimit) return all;
  const first = count > rows.length ? `, the first ${rows.length} of them` : "";
  return `<details><summary>${count} rows${first}</summary>${all}</details>`;
}
