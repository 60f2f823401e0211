import "./notice.css";
import { CircleAlert, Info, LoaderCircle, TriangleAlert } from "lucide-preact";
import type { ComponentChildren, FunctionComponent } from "preact";

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

/** Something is on its way, for as long as nobody knows. */
export const Spinner: FunctionComponent<{ readonly label: string }> = ({ label }) => (
  <div class="spinner" role="status">
    <LoaderCircle size={20} aria-hidden="true" />
    <span>{label} ...</span>
  </div>
);

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
