import { escapeMarkup } from "../markup.js";
import { font } from "./chart.js";

export interface Page {
  readonly title: string;
  /** Beyond the style that all pages share. */
  readonly style: string;
  /** Markup below the heading's. */
  readonly body: string;
}

/** A page that needs no network, with its look, tables that sort and marks that say what they are. Without scripts it shows the same. */
export function htmlPage({ title, style, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${pageStyle}${style}</style>
${body}
<div id="about" hidden></div>
<script>
"use strict";
const __name = (value) => value;
(${showAbout.toString()})();
(${sortTables.toString()})();
</script>
</html>
`;
}

/** A column's head, by which a table of the class `sortable` is sorted. */
export const sortHead = (title: string, kind: "" | "number" = ""): string =>
  `<th scope="col"${kind && ` class="${kind}"`}><button type="button">${escapeMarkup(title)}</button></th>`;

const pageStyle = [
  ":root{color-scheme:light dark;--ground:#fbfaf7;--ink:#24262b;--quiet:#565a62;--line:#e2dfd6}",
  "@media screen and (prefers-color-scheme:dark){:root{--ground:#1b1d21;--ink:#eceae4;--quiet:#b3b6bd;--line:#383b42}}",
  `body{margin:0 auto;padding:16px;max-width:1120px;background:var(--ground);color:var(--ink);font:15px/1.45 ${font}}`,
  "h1{font-size:22px;margin:4px 0 12px}figure{margin:0 0 28px}figcaption,p{color:var(--quiet);font-size:13px}",
  ".scroll{overflow-x:auto}.chart{display:block;width:100%;height:auto}.mark:hover{stroke-width:.12px;opacity:.8}",
  "table{border-collapse:collapse;font-size:13px;white-space:nowrap}th,td{padding:4px 10px 4px 0;border-bottom:1px solid var(--line);text-align:left}",
  "td.number{text-align:right;font-variant-numeric:tabular-nums}th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}",
  "th[aria-sort=ascending] button::after{content:' ↑'}th[aria-sort=descending] button::after{content:' ↓'}",
  "#about{position:fixed;pointer-events:none;max-width:320px;padding:6px 10px;border-radius:6px;border:1px solid var(--line);background:var(--ground);font-size:13px;white-space:pre-line;box-shadow:0 2px 10px #0003}",
].join("");

// What a page does is sent as text: neither function uses anything from outside itself.

/** Shows a mark's words beside the pointer, or after a tap. */
function showAbout(): void {
  const about = document.getElementById("about") as HTMLElement;
  const show = (event: PointerEvent): void => {
    const mark = (event.target as Element).closest(".mark");
    about.hidden = mark === null;
    if (mark === null) return;
    // The browser's own tooltip would come as well.
    const title = mark.querySelector("title");
    if (title !== null) {
      mark.setAttribute("aria-label", title.textContent ?? "");
      title.remove();
    }
    about.textContent = mark.getAttribute("aria-label");
    const [x, y] = [event.clientX + 14, event.clientY + 14];
    about.style.left = `${Math.max(4, Math.min(x, innerWidth - about.offsetWidth - 8))}px`;
    about.style.top = `${Math.max(4, Math.min(y, innerHeight - about.offsetHeight - 8))}px`;
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
}

/** Sorts a table by the column whose head is clicked. */
function sortTables(): void {
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.querySelector("tbody") as HTMLElement;
    const heads = [...table.querySelectorAll("thead th")];
    for (const [column, head] of heads.entries()) {
      head.querySelector("button")?.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row: Element): string => {
          const cell = row.children[column];
          return cell?.getAttribute("data-value") ?? cell?.textContent ?? "";
        };
        const rows = [...body.children].sort((a, b) => {
          const [p, q] = down ? [value(b), value(a)] : [value(a), value(b)];
          const difference = Number(p) - Number(q);
          return Number.isNaN(difference) ? p.localeCompare(q) : difference;
        });
        body.append(...rows);
      });
    }
  }
}
