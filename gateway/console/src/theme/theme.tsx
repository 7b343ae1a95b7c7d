import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { forget, recall, remember } from "@/app/memory";

/** ThemeChoice: `system` follows the desktop. */
export type ThemeChoice = "system" | "light" | "dark";

interface Theme {
  choice: ThemeChoice;
  dark: boolean;
  setChoice: (choice: ThemeChoice) => void;
}

const Context = createContext<Theme | undefined>(undefined);

const query = () => matchMedia("(prefers-color-scheme: dark)");

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [choice, setChoice] = useState<ThemeChoice>(() => {
    const kept = recall("theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  });
  const [systemDark, setSystemDark] = useState(() => query().matches);

  useEffect(() => {
    const media = query();
    const changed = () => setSystemDark(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);

  useEffect(() => {
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  }, [choice]);

  const value = useMemo<Theme>(
    () => ({
      choice,
      dark: choice === "dark" || (choice === "system" && systemDark),
      setChoice: (next) => {
        if (next === "system") forget("theme");
        else remember("theme", next);
        setChoice(next);
      },
    }),
    [choice, systemDark],
  );
  return <Context value={value}>{children}</Context>;
}

export function useTheme(): Theme {
  const theme = useContext(Context);
  if (!theme) throw new Error("useTheme outside ThemeProvider");
  return theme;
}

/** color is a token's colour as it is now, for canvases: color("--accent"). */
export function color(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  probe.style.display = "none";
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
