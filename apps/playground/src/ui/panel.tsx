import "./panel.css";
import type { ComponentChildren, FunctionComponent } from "preact";
import { useId } from "preact/hooks";

interface PanelProps {
  readonly title?: string | undefined;
  /** Beside the title: buttons, a figure. */
  readonly aside?: ComponentChildren | undefined;
  readonly children: ComponentChildren;
  readonly class?: string | undefined;
}

/** A part of a page, on a sheet of its own. */
export const Panel: FunctionComponent<PanelProps> = ({ title, aside, children, class: extra = "" }) => {
  const id = useId();
  return (
    <section class={`panel ${extra}`} aria-labelledby={title === undefined ? undefined : id}>
      {title === undefined && aside === undefined ? null : (
        <div class="row spread">
          {title === undefined ? null : <h2 id={id}>{title}</h2>}
          {aside}
        </div>
      )}
      {children}
    </section>
  );
};

interface PageHeadingProps {
  readonly title: string;
  /** What the page is for, in a sentence or two. */
  readonly children?: ComponentChildren | undefined;
}

export const PageHeading: FunctionComponent<PageHeadingProps> = ({ title, children }) => (
  <div class="page-heading">
    <h1>{title}</h1>
    {children === undefined ? null : <p class="quiet">{children}</p>}
  </div>
);

interface FigureProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly hint?: string | undefined;
}

/** A number with its name: parameters, accuracy, images a second. */
export const Figure: FunctionComponent<FigureProps> = ({ label, value, hint }) => (
  <div class="figure" title={hint}>
    <dt>{label}</dt>
    <dd>{value}</dd>
  </div>
);

export const Figures: FunctionComponent<{ readonly children: ComponentChildren }> = ({ children }) => (
  <dl class="figure-list figures">{children}</dl>
);
