import * as Comlink from "comlink";
import { useState } from "preact/hooks";
import type { AddDataRequest, AddedData, AddProgress } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { chosenData, refreshDataSets } from "../session/draft.js";

/** Where the adding of data stands. */
export type Adding =
  | { readonly state: "idle" }
  | { readonly state: "busy"; readonly progress: AddProgress | undefined }
  | { readonly state: "done"; readonly added: AddedData }
  | { readonly state: "failed"; readonly error: Error; readonly request: AddDataRequest };

/** Gives files to the worker, and chooses the set that they make. */
export function useAdding(): { readonly adding: Adding; readonly add: (request: AddDataRequest) => Promise<boolean> } {
  const [adding, setAdding] = useState<Adding>({ state: "idle" });
  const add = async (request: AddDataRequest): Promise<boolean> => {
    setAdding({ state: "busy", progress: undefined });
    try {
      const onProgress = (progress: AddProgress): void => setAdding({ state: "busy", progress });
      const added = await trainer().addData(request, Comlink.proxy(onProgress));
      setAdding({ state: "done", added });
      await refreshDataSets();
      chosenData.value = { kind: "stored", name: added.data.name };
      return true;
    } catch (error) {
      setAdding({ state: "failed", error: error as Error, request });
      return false;
    }
  };
  return { adding, add };
}
