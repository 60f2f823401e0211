// A terminal's text as a picture: `FORCE_COLOR=1 ocelli demo | node scripts/picture.mjs TITLE > docs/start.svg`.
// Knows bold, dim and the eight colours, which is what the command uses.
import { readFileSync } from "node:fs";

const palette = {
  31: "#d64545",
  32: "#3a9a4b",
  33: "#b7791f",
  34: "#3b74c9",
  35: "#9a4fb5",
  36: "#1f8a94",
  90: "#8a8f98",
};
const [fontSize, lineHeight, margin] = [13, 17, 18];
const charWidth = fontSize * 0.6023;

const escapeXml = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Runs of one style in a line. */
function spans(line) {
  const out = [];
  let style = {};
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what escape sequences begin with
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const codes = /^\u001b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes === undefined) {
      if (part !== "") out.push({ text: part, ...style });
      continue;
    }
    for (const code of codes.split(";").map(Number)) {
      if (code === 0) style = {};
      else if (code === 1) style = { ...style, bold: true };
      else if (code === 2) style = { ...style, dim: true };
      else if (code === 22) style = { ...style, bold: false, dim: false };
      else if (code === 39) style = { ...style, fill: undefined };
      else if (palette[code] !== undefined) style = { ...style, fill: palette[code] };
    }
  }
  return out;
}

const title = process.argv[2] ?? "A terminal";
const lines = readFileSync(0, "utf8").trimEnd().split("\n");
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const columns = Math.max(...lines.map((line) => line.replace(/\u001b\[[0-9;]*m/g, "").length));
const [width, height] = [Math.ceil(columns * charWidth) + 2 * margin, lines.length * lineHeight + 2 * margin];
console.log(
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
);
console.log(`<title>${escapeXml(title)}</title>`);
console.log(`<rect width="${width}" height="${height}" rx="8" fill="#fbfaf7" stroke="#dcd8cf"/>`);
console.log(
  `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}" fill="#24262b">`,
);
for (const [i, line] of lines.entries()) {
  if (line === "") continue;
  const text = spans(line).map(({ text, bold, dim, fill }) => {
    const look = `${bold ? ' font-weight="600"' : ""}${dim ? ' fill="#8a8f98"' : fill ? ` fill="${fill}"` : ""}`;
    return look === "" ? escapeXml(text) : `<tspan${look}>${escapeXml(text)}</tspan>`;
  });
  console.log(
    `<text x="${margin}" y="${margin + (i + 0.75) * lineHeight}" xml:space="preserve">${text.join("")}</text>`,
  );
}
console.log("</g>\n</svg>");
