import type { Arrangement, Scene } from "./scene.js";

/**
 * The inside of the picture; `alive`: with blocks that a page's script opens and closes. Pages carry the text of this function: it uses nothing
 * from outside itself.
 * Classes give the colours: see `style.ts`.
 */
export function draw(scene: Scene, { boxes, arrows }: Arrangement, alive: boolean): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  const text = (value: string): string =>
    value
      .replace(/[^\P{Cc}\t\n\r]|\p{Cs}|[\ufffe\uffff]/gu, "")
      .replace(/[&<>"']/g, (character) => entities[character] as string);
  const number = (value: number): string => `${Math.round(value * 10) / 10}`;
  const frames: string[] = [];
  const nodes: string[] = [];
  for (const { box, x, y, w, h, open } of boxes) {
    const { id, kind, title, lines, about, plan } = scene.boxes[box] as Scene["boxes"][number];
    const middle = number(x + w / 2);
    const block = plan !== null;
    const sign =
      block && alive
        ? `<text class="sign" x="${number(x + w - 13)}" y="${number(y + 17)}">${open ? "−" : "+"}</text>`
        : "";
    const name = `<text class="title" x="${number(x + 12)}" y="${number(y + 18)}">${text(title)}<tspan class="line" dx="8">${text(lines[0] ?? "")}</tspan></text>`;
    const words = [title, ...lines].map((line, i) => {
      const down = number(y + h / 2 + 4.5 + (i - lines.length / 2) * 15);
      return `<text class="${i === 0 ? "title" : "line"} middle" x="${middle}" y="${down}">${text(line)}</text>`;
    });
    const round =
      kind === "input" || kind === "output" || kind === "join" || kind === "function" ? Math.min(h / 2, 14) : 6;
    const shape = (dx: number): string =>
      `<rect x="${number(x + dx)}" y="${number(y + dx)}" width="${number(w)}" height="${number(h)}" rx="${open ? 10 : round}"/>`;
    const button = block && alive ? ` data-box="${box}" tabindex="0" role="button" aria-expanded="${open}"` : "";
    const group = `<g id="${text(id)}" class="box ${kind}${open ? " open" : ""}"${button}><title>${text(about)}</title>`;
    if (open) {
      frames.push(`${group}${shape(0)}</g>`);
      // Above the arrow that comes in.
      nodes.push(`<g class="box heading"${alive ? ` data-box="${box}"` : ""}>${name}${sign}</g>`);
    } else nodes.push(`${group}${block ? shape(4) : ""}${shape(0)}${words.join("")}${sign}</g>`);
  }
  const paths: string[] = [];
  const labels: string[] = [];
  for (const { points, label, head } of arrows) {
    const [first, ...rest] = points as [readonly [number, number], ...(readonly [number, number])[]];
    let path = `M${number(first[0])} ${number(first[1])}`;
    let [px, py] = first;
    for (const [x, y] of rest) {
      const half = (py + y) / 2;
      const curve = `C${number(px)} ${number(half)} ${number(x)} ${number(half)} ${number(x)} ${number(y)}`;
      path += Math.abs(px - x) < 0.5 ? `L${number(x)} ${number(y)}` : curve;
      [px, py] = [x, y];
    }
    paths.push(`<path d="${path}"${head ? ' marker-end="url(#head)"' : ""}/>`);
    if (label !== "")
      labels.push(`<text x="${number(first[0] + 6)}" y="${number(first[1] + 13)}">${text(label)}</text>`);
  }
  return `${frames.join("")}<g class="arrows">${paths.join("")}</g>${nodes.join("")}<g class="shapes">${labels.join("")}</g>`;
}
