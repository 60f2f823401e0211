import "./notice.css";
import { CircleAlert, Info, LoaderCircle, TriangleAlert } from "lucide-preact";
import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatDuration } from "../format.js";

interface NoticeProps {
  readonly kind: "info" | "warning" | "error";
  readonly title?: string | undefined;
  readonly children?: ComponentChildren | undefined;
  /** What can be done about it: buttons. */
  readonly actions?: ComponentChildren | undefined;
}

const icons = { info: Info, warning: TriangleAlert, error: CircleAlert } as const;

/** Something to know, in its place. Errors and warnings are read out at once. */
export const Notice: FunctionComponent<NoticeProps> = ({ kind, title, children, actions }) => {
  const Icon = icons[kind];
  return (
    <div class={`notice ${kind}`} role={kind === "info" ? "status" : "alert"}>
      <Icon size={20} aria-hidden="true" />
      <div class="stack">
        <div>
          {title === undefined ? null : <strong>{title}</strong>}
          <div>{children}</div>
        </div>
        {actions === undefined ? null : <div class="row">{actions}</div>}
      </div>
    </div>
  );
};

/** Shorter waits are not counted, in seconds. */
const patience = 3;

/** Something is on its way, for as long as nobody knows; where that is long, how long it has been. */
export const Spinner: FunctionComponent<{ readonly label: string }> = ({ label }) => {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const began = performance.now();
    // By the clock: tabs in the background tick seldom.
    const timer = setInterval(() => setSeconds((performance.now() - began) / 1000), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="spinner" role="status">
      <LoaderCircle size={20} aria-hidden="true" />
      <span>{label} ...</span>
      {seconds < patience ? null : (
        // Not read out each second.
        <span class="quiet figures small" aria-hidden="true">
          {formatDuration(seconds)}
        </span>
      )}
    </div>
  );
};

interface ProgressProps {
  readonly label: string;
  /** 0 to 1. */
  readonly share: number;
  /** What is left, how fast. */
  readonly detail?: ComponentChildren | undefined;
}

export const Progress: FunctionComponent<ProgressProps> = ({ label, share, detail }) => (
  <div class="progress">
    <div class="row spread small">
      <span>{label}</span>
      <span class="quiet figures">{detail}</span>
    </div>
    <progress value={share} max={1} aria-label={label} />
  </div>
);
