import "./new-version.css";
import type { FunctionComponent } from "preact";
import { Button } from "../ui/index.js";
import { newVersion } from "./offline.js";

/** A quiet line where a new version of the site is there to be loaded. */
export const NewVersion: FunctionComponent = () => (
  <div class="new-version" role="status">
    {newVersion.value === undefined ? null : (
      <p class="row">
        <span>A new version is ready. What is not saved on this page is lost when it loads.</span>
        <Button kind="quiet" onClick={newVersion.value}>
          Reload
        </Button>
      </p>
    )}
  </div>
);
