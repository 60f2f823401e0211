import "./styles/base.css";
import { render } from "preact";
import { App } from "./app.js";
import { workOffline } from "./offline/offline.js";
import { followLinks } from "./routing.js";
import { followTheme } from "./theme.js";
import { keepFocus } from "./ui/keep-focus.js";

followTheme();
keepPageOnDrop();
keepFocus();
await followLinks();
render(<App />, document.getElementById("app") as HTMLElement);
// After all that the first page needs; while one develops, the server's files are the truth.
if (import.meta.env.PROD) addEventListener("load", () => void workOffline());

/** A file that misses its place would replace the page, with all that runs in it. */
function keepPageOnDrop(): void {
  addEventListener("dragover", (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "none";
  });
  addEventListener("drop", (event) => event.preventDefault());
}
