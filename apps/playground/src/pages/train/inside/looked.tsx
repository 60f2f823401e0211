import type { ComponentChildren } from "preact";
import { Notice, Spinner } from "../../../ui/index.js";
import type { Look } from "./look.js";

interface LookedProps<Found> {
  readonly look: Look<Found>;
  readonly children: (found: Found) => ComponentChildren;
}

/** What a look found, or why it found nothing. */
export function Looked<Found>({ look: { found, wrong }, children }: LookedProps<Found>) {
  return (
    <div class="stack">
      {wrong === undefined ? null : (
        <Notice kind="warning" title="It cannot be looked at now">
          {wrong}
        </Notice>
      )}
      {found !== undefined ? children(found) : wrong === undefined ? <Spinner label="Looking" /> : null}
    </div>
  );
}
