import { boxLooks } from "@ocelli/inspect/graph";
import { isDark } from "../../../theme.js";

/** The colours of boxes as variables, in the page's theme: `--convolution-fill`, `--convolution-stroke` ... */
export function boxColours(): Readonly<Record<string, string>> {
  const scheme = isDark() ? "dark" : "light";
  const pairs = Object.entries(boxLooks).flatMap(([kind, look]) => [
    [`--${kind}-fill`, look[scheme].fill],
    [`--${kind}-stroke`, look[scheme].stroke],
  ]);
  return Object.fromEntries(pairs) as Readonly<Record<string, string>>;
}
