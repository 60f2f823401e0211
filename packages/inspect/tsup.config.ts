import { library } from "../../tsup.base.js";

export default library(["index", "explain/index", "graph/index", "plot/index", "report/index"]);
