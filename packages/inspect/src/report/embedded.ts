import type { Picture, ReportOptions } from "./run-report.js";

/** A picture as an address that holds it. */
export async function embedded(picture: Picture, { encodePng }: ReportOptions): Promise<string> {
  const bytes = await encodePng(picture);
  let text = "";
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:image/png;base64,${btoa(text)}`;
}
