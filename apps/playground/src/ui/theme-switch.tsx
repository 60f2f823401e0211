import { Monitor, Moon, Sun } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { type Theme, theme } from "../theme.js";
import { IconButton } from "./button.js";

const next: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const icons = { system: Monitor, light: Sun, dark: Moon } as const;

/** One button that goes round: as the system has it, light, dark. */
export const ThemeSwitch: FunctionComponent = () => {
  const Icon = icons[theme.value];
  return (
    <IconButton
      label={`Colours: ${theme.value}. Change to ${next[theme.value]}`}
      onClick={() => {
        theme.value = next[theme.value];
      }}
    >
      <Icon size={18} aria-hidden="true" />
    </IconButton>
  );
};
