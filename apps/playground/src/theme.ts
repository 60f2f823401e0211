import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const key = "ocelli-theme";
const themes: readonly string[] = ["system", "light", "dark"] satisfies Theme[];

/** What the reader chose; kept for the next visit where the browser keeps anything. */
export const theme = signal<Theme>(stored());

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(darkSystem.matches);
darkSystem.addEventListener("change", ({ matches }) => {
  systemIsDark.value = matches;
});

/** Whether the page is dark now: for what is drawn on canvases. */
export const isDark = (): boolean => (theme.value === "system" ? systemIsDark.value : theme.value === "dark");

export function followTheme(): void {
  // Chosen in another tab.
  addEventListener("storage", (event) => {
    if (event.key === key) theme.value = stored();
  });
  effect(() => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    try {
      localStorage.setItem(key, theme.value);
    } catch {
      // Storage is denied: the choice lasts until the page is closed.
    }
  });
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(key) ?? "";
    return themes.includes(value) ? (value as Theme) : "system";
  } catch {
    return "system";
  }
}
