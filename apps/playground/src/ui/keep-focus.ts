/** What a control is part of: named by its heading, or a place of its own. */
const places = "section, form, fieldset, li, [role='tabpanel'], main";

/**
 * A control that takes itself away, or is disabled by what it does, takes the focus with it, and who works by the keyboard begins again at the
 * top of the page. Here the focus goes to what the control was part of; a control that can be used again gets it back.
 */
export function keepFocus(): void {
  let control: HTMLElement | undefined;
  let around: readonly HTMLElement[] = [];
  /** What has the focus in the control's stead. */
  let standIn: HTMLElement | undefined;
  const remember = ({ target }: FocusEvent): void => {
    if (!(target instanceof HTMLElement) || target === standIn) return;
    [control, standIn] = [target, undefined];
    around = placesAround(target);
  };
  // Who points beside a control leaves it on purpose.
  const forget = (): void => {
    [control, standIn] = [undefined, undefined];
  };
  const mend = (): void => {
    if (control === undefined) return;
    const { activeElement: active } = document;
    const usable = control.isConnected && !control.matches(":disabled");
    if (usable && standIn !== undefined && active === standIn) control.focus({ preventScroll: true });
    if (usable || !(active === null || active === document.body || active === control)) return;
    standIn = around.find(({ isConnected }) => isConnected);
    if (standIn !== undefined) focusOnce(standIn);
  };
  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] };
  new MutationObserver(mend).observe(document.body, changes);
  document.addEventListener("focusin", remember);
  document.addEventListener("pointerdown", forget);
}

/** From the inside outwards. */
function placesAround(control: HTMLElement): readonly HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let at = control.parentElement?.closest<HTMLElement>(places); at; at = at.parentElement?.closest(places))
    found.push(at);
  return found;
}

/** Focuses what has no focus of its own; it keeps none. */
function focusOnce(place: HTMLElement): void {
  if (!place.hasAttribute("tabindex")) {
    place.tabIndex = -1;
    place.addEventListener("blur", () => place.removeAttribute("tabindex"), { once: true });
  }
  place.focus({ preventScroll: true });
}
