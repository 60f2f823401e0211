import "./styles/base.css";
import { render } from "preact";
import { App } from "./app.js";
import { followLinks } from "./routing.js";
import { followTheme } from "./theme.js";

followTheme();
followLinks();
render(<App />, document.getElementById("app") as HTMLElement);
