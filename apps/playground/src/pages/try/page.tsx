import "./page.css";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { PageHeading } from "../../ui/index.js";
import { Answer } from "./answer.js";
import { InputPanel } from "./input/input-panel.js";
import { Inside } from "./inside/inside.js";
import { NetworkPanel } from "./network-panel.js";
import { choose, device, loading, source } from "./session.js";

export const Page: FunctionComponent = () => {
  useEffect(() => {
    // The chooser may have begun already: with the network that other pages hand on.
    if (device.peek() === undefined && !loading.state.peek().busy) choose(source.peek());
  }, []);
  return (
    <div class="try">
      <PageHeading title="Try">
        Show a network a drawing or a picture, read its answer, and look at what led it there. Pictures stay on this
        machine.
      </PageHeading>
      <NetworkPanel />
      <div class="try-ask">
        <InputPanel />
        <Answer />
      </div>
      <Inside />
    </div>
  );
};
