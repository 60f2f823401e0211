import { type ComponentType, type FunctionComponent, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Notice, Spinner } from "../../../ui/index.js";
import type { Analysis } from "../../../workers/analysis/api.js";

type Tab = ComponentType<{ readonly current: Analysis }>;

/** The charting library is large: it is loaded when the tab is opened. */
export const LazyCompare: FunctionComponent<{ readonly current: Analysis }> = ({ current }) => {
  const [content, setContent] = useState<Tab>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    import("./compare-tab.js").then(
      ({ CompareTab }) => setContent(() => CompareTab),
      (error: Error) => setFailure(error.message),
    );
  }, []);
  if (failure !== undefined)
    return (
      <Notice kind="error" title="The charts could not be loaded">
        {failure}. Reload the page.
      </Notice>
    );
  return content === undefined ? <Spinner label="Loading charts" /> : h(content, { current });
};
