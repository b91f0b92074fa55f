/** Light, dark or as the system has it; index.html reads the same choice before anything is painted. */

import { useState } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "tallystick.theme";

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset["theme"] as Theme) ?? "system");
  const choose = (next: Theme) => {
    setTheme(next);
    if (next === "system") {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset["theme"];
    } else {
      localStorage.setItem(KEY, next);
      document.documentElement.dataset["theme"] = next;
    }
  };
  return [theme, choose];
}
