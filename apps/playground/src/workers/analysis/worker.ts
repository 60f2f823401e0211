import { expose } from "comlink";
import { analyse, arrange, chain, check, compared, memory } from "./analyse.js";
import type { AnalysisApi } from "./api.js";

expose({ analyse, arrange, memory, check, chain, compared } satisfies AnalysisApi);
