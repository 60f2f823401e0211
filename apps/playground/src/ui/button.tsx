import "./button.css";
import type { ButtonHTMLAttributes, ComponentChildren, FunctionComponent } from "preact";

type Given = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "class" | "children"> & {
  readonly children: ComponentChildren;
};

/** `primary`: the one thing to do here; `danger`: it cannot be taken back. */
export const Button: FunctionComponent<
  Given & { readonly kind?: "primary" | "plain" | "quiet" | "danger" | undefined }
> = ({ kind = "plain", children, ...rest }) => (
  <button type="button" class={`button ${kind}`} {...rest}>
    {children}
  </button>
);

/** A button that is a picture; `label` is what it does, in words. */
export const IconButton: FunctionComponent<Given & { readonly label: string }> = ({ label, children, ...rest }) => (
  <button type="button" class="button icon" aria-label={label} title={label} {...rest}>
    {children}
  </button>
);
