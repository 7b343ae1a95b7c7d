import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { recall, remember } from "@/app/memory";

export type Language = "en" | "zh";

export const LANGUAGES: { id: Language; name: string; tag: string }[] = [
  { id: "en", name: "English", tag: "en" },
  { id: "zh", name: "中文", tag: "zh-CN" },
];

/** Wide makes texts of the Chinese side assignable: the same keys, with any text or the same parameters. */
type Wide<T> = {
  [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Wide<T[K]>;
};

export interface Texts<T> {
  en: T;
  zh: Wide<T>;
}

/** texts pairs the English texts of a page with the Chinese ones; a key that one lacks is a type error. */
export function texts<const T extends object>(en: T, zh: Wide<T>): Texts<Wide<T>> {
  return { en: en as unknown as Wide<T>, zh: zh as Wide<Wide<T>> };
}

interface I18n {
  language: Language;
  /** locale for Intl. */
  locale: string;
  setLanguage: (language: Language) => void;
}

const Context = createContext<I18n | undefined>(undefined);

/** firstLanguage is the one chosen before, or the browser's. */
function firstLanguage(): Language {
  const kept = recall("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  const value = useMemo<I18n>(
    () => ({
      language,
      locale: language === "zh" ? "zh-CN" : "en-GB",
      setLanguage: (next) => {
        remember("language", next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <Context value={value}>{children}</Context>;
}

export function useI18n(): I18n {
  const i18n = useContext(Context);
  if (!i18n) throw new Error("useI18n outside I18nProvider");
  return i18n;
}

/** useText is a page's texts in the chosen language: `const t = useText(text)`. */
export function useText<T>(both: Texts<T>): T {
  const { language } = useI18n();
  return language === "zh" ? (both.zh as unknown as T) : both.en;
}
