import { chartStyle } from "../plot/chart.js";

/** Fills of the matrix at their strongest. Ink reads on each of them at more than 4.5 to 1. */
export const heat = {
  light: { right: "#8db4f2", wrong: "#f2a596" },
  dark: { right: "#2f5fa8", wrong: "#8e3726" },
} as const;

const variables = ({ right, wrong }: { readonly right: string; readonly wrong: string }): string =>
  `--right:${right};--wrong:${wrong}`;

const shades = Array.from({ length: 10 }, (_, i) => `.s${i + 1}{--share:${10 * (i + 1)}%}`).join("");

export const reportStyle: string = [
  chartStyle,
  `:root{${variables(heat.light)}}@media screen and (prefers-color-scheme:dark){:root{${variables(heat.dark)}}}`,
  "body{padding:24px 16px 48px}header{margin-bottom:28px}h1{font-size:26px;margin:0 0 2px;letter-spacing:-.01em}",
  "h2{font-size:19px;margin:0 0 10px}h3{font-size:14px;margin:0 0 6px}section{margin:0 0 40px;padding-top:22px;border-top:1px solid var(--line)}",
  "h1,h2,h3,dd,td,th,figcaption,.pictures span{overflow-wrap:anywhere}.quiet{color:var(--quiet);font-weight:400}",
  "nav ul,.pictures,.key{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap}nav ul{gap:2px 18px;font-size:13px;margin-top:16px}",
  "a{color:inherit;text-decoration-color:var(--quiet);text-underline-offset:3px}",
  ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:14px 20px;margin:18px 0 0}",
  ".figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end}.figures dt{color:var(--quiet);font-size:13px}.figures dd{margin:0;white-space:nowrap;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.25}",
  ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 36px;margin:0;font-size:14px}",
  ".facts div{display:grid;grid-template-columns:8.5em 1fr;gap:10px;padding:6px 0;border-bottom:1px solid var(--line)}.facts dt{color:var(--quiet)}.facts dd{margin:0}.facts b{font-weight:600}.facts ul{margin:4px 0 0;padding-left:18px}.option{white-space:normal}",
  ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:24px 36px;align-items:start}.charts figure{margin:0}.side{display:flex;flex-wrap:wrap;gap:28px 40px;align-items:flex-start}.side>*{min-width:0;max-width:100%;margin:0}.side figure{width:min-content}",
  ".key{gap:2px 16px;font-size:13px;margin:4px 0}.key li{display:flex;align-items:center;gap:6px}.chart.sample{width:26px;flex:none}figcaption{margin-top:4px}.scroll+h3,details+h3{margin-top:22px}",
  "details{margin-top:14px}summary{cursor:pointer;font-size:13px;color:var(--quiet)}details .scroll{margin-top:8px}",
  ".numbers td,.numbers tbody th{padding:4px 14px 4px 0}.numbers tbody th{font-weight:400}.numbers thead th{vertical-align:bottom;padding-right:14px}",
  ".number{text-align:right}.share{display:inline-block;min-width:4.1em}.bar{display:inline-block;width:48px;height:6px;margin-right:6px;vertical-align:middle;background:var(--line);border-radius:3px;overflow:hidden}.bar i{display:block;height:100%;background:var(--quiet);border-radius:3px}",
  ".matrix{border-collapse:separate;border-spacing:2px;font-size:12.5px;font-variant-numeric:tabular-nums}.matrix td,.matrix th{border:0;padding:0}",
  ".matrix tbody td{min-width:34px;height:28px;padding:0 4px;text-align:center;border-radius:3px;background:var(--line)}.matrix tbody th{padding-right:10px;font-weight:400;position:sticky;left:0;background:var(--ground)}",
  ".matrix thead th{font-weight:400;vertical-align:bottom;text-align:center}.matrix.short thead th{padding-bottom:4px}.matrix:not(.short) thead span:not(.quiet){writing-mode:vertical-rl;transform:rotate(180deg);max-height:130px;overflow:hidden;padding:0 4px}.matrix thead td{vertical-align:bottom;font-size:12px}",
  ".matrix tbody td.right,.matrix tbody td.wrong{--share:0%;print-color-adjust:exact;-webkit-print-color-adjust:exact}",
  shades.replaceAll(".s", ".matrix tbody td.s"),
  ".matrix tbody td.right{background:color-mix(in srgb,var(--right) var(--share),var(--ground))}.matrix tbody td.wrong{background:color-mix(in srgb,var(--wrong) var(--share),var(--ground))}",
  ".pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(108px,1fr));gap:18px 12px}.pictures li{font-size:13px;line-height:1.35;break-inside:avoid}.pictures img{display:block;margin-bottom:6px;border-radius:3px}.pictures span{display:block}.pictures .true .quiet{display:inline}.pictures .rest{font-size:12px}.pictures .guess::before{content:'taken for ';color:var(--quiet)}",
  ".mark:hover{fill-opacity:1}img{max-width:100%;height:auto}.pixels{image-rendering:pixelated}",
  ".spark{display:block;overflow:visible}.spark polyline{fill:none;stroke:var(--ink);stroke-width:1.2;stroke-linejoin:round}.spark path{fill:var(--quiet)}",
  ".scroll:focus-visible,summary:focus-visible,a:focus-visible,button:focus-visible{outline:2px solid currentColor;outline-offset:2px}",
  "@media print{.charts{grid-template-columns:1fr 1fr}body{padding:0;max-width:none}nav,details:not([open]){display:none}section{border-top-color:#999}figure,tr,.pictures li{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}}",
].join("");
