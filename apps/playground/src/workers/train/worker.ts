import { expose } from "comlink";
import { TrainService } from "./service.js";

expose(new TrainService());
