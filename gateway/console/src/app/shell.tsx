import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { api } from "@/api/client";
import { useSession } from "@/api/session";
import { LANGUAGES, useI18n, useText } from "@/i18n";
import { type ThemeChoice, useTheme } from "@/theme/theme";
import { Icon, Menu } from "@/ui";
import { Palette } from "./palette";
import { type PageId, SECTIONS } from "./routes";
import { text } from "./text";
import "./shell.css";

/** BOTTOM are the pages in the bottom bar of a narrow screen; the others are behind “more”. */
const BOTTOM: PageId[] = ["flow", "messages", "jobs", "search"];

/** Shell is the frame: rail, top bar, palette. On a narrow screen the rail is a bottom bar. */
export function Shell({ children }: { children: ReactNode }) {
  const t = useText(text);
  const [palette, setPalette] = useState(false);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === "k") {
        e.preventDefault();
        setPalette((open) => !open);
      }
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t.skip}
      </a>
      <TopBar onPalette={() => setPalette(true)} />
      <Rail />
      <main id="content" className="content" tabIndex={-1}>
        {children}
      </main>
      <BottomBar />
      {palette && <Palette onClose={() => setPalette(false)} />}
    </div>
  );
}

function useHere(): string {
  const [location] = useLocation();
  return location === "/" ? "/flow" : location;
}

function isHere(here: string, path: string): boolean {
  return here === path || here.startsWith(`${path}/`);
}

function Rail() {
  const t = useText(text);
  const here = useHere();
  const { version } = useSession();
  return (
    <nav className="rail" aria-label={t.pages}>
      {SECTIONS.map((section) => (
        <Link
          key={section.id}
          href={section.path}
          className="rail-item"
          aria-current={isHere(here, section.path) ? "page" : undefined}
          title={t[section.id]}
        >
          <Icon name={section.icon} size={18} />
          <span className="rail-name">{t[section.id]}</span>
        </Link>
      ))}
      {version && <span className="rail-foot quiet small clip">{version}</span>}
    </nav>
  );
}

function BottomBar() {
  const t = useText(text);
  const here = useHere();
  const [, navigate] = useLocation();
  const rest = SECTIONS.filter((section) => !BOTTOM.includes(section.id));
  return (
    <nav className="bottom" aria-label={t.pages}>
      {BOTTOM.map((id) => SECTIONS.find((section) => section.id === id)).map(
        (section) =>
          section && (
            <Link
              key={section.id}
              href={section.path}
              className="bottom-item"
              aria-current={isHere(here, section.path) ? "page" : undefined}
            >
              <Icon name={section.icon} size={20} />
              {t[section.id]}
            </Link>
          ),
      )}
      <div className="bottom-more">
        <Menu
          label={t.more}
          name={
            <span className="bottom-item" aria-current={rest.some((s) => isHere(here, s.path)) ? "page" : undefined}>
              <Icon name="more" size={20} />
              {t.more}
            </span>
          }
          items={rest.map((section) => ({
            id: section.id,
            name: t[section.id],
            icon: section.icon,
            onChoose: () => navigate(section.path),
          }))}
        />
      </div>
    </nav>
  );
}

const THEMES: ThemeChoice[] = ["system", "light", "dark"];

function TopBar({ onPalette }: { onPalette: () => void }) {
  const t = useText(text);
  const session = useSession();
  const { language, setLanguage } = useI18n();
  const { choice, dark, setChoice } = useTheme();
  const keys = navigator.platform.startsWith("Mac") ? "⌘K" : "Ctrl K";
  return (
    <header className="top">
      <Link href="/flow" className="brand" aria-label="Weirflow">
        <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
          <rect className="brand-box" width="32" height="32" rx="7" />
          <path className="brand-wave" d="M5 11c4 0 4 3 8 3s4-3 8-3 3 3 6 3M5 18c4 0 4 3 8 3s4-3 8-3 3 3 6 3" />
        </svg>
        <span>Weirflow</span>
      </Link>
      {session.environment && <span className="environment clip">{session.environment}</span>}
      <span className="grow" />
      <button type="button" className="palette-button" onClick={onPalette} aria-label={`${t.palette} ${keys}`}>
        <Icon name="search" size={14} />
        <span className="wide-only">{t.palette}</span>
        <kbd className="wide-only">{keys}</kbd>
      </button>
      <Menu
        label={t.language}
        icon="language"
        items={LANGUAGES.map((one) => ({
          id: one.id,
          name: one.name,
          checked: one.id === language,
          onChoose: () => setLanguage(one.id),
        }))}
      />
      <Menu
        label={t.theme}
        icon={dark ? "moon" : "sun"}
        items={THEMES.map((one) => ({
          id: one,
          name: t[one],
          icon: one === "system" ? "system" : one === "light" ? "sun" : "moon",
          checked: one === choice,
          onChoose: () => setChoice(one),
        }))}
      />
      <UserMenu />
    </header>
  );
}

function UserMenu() {
  const t = useText(text);
  const session = useSession();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  if (session.open || !session.user) {
    return session.open ? (
      <span className="button ghost icon quiet" title={t.open} role="img" aria-label={t.open}>
        <Icon name="user" />
      </span>
    ) : null;
  }
  const logout = async () => {
    await api.delete("/api/v1/session");
    api.forgetSession();
    queries.clear();
    navigate("/login");
    location.reload();
  };
  return (
    <Menu
      label={t.user}
      icon="user"
      name={<span className="wide-only">{session.user.displayName || session.user.name}</span>}
      items={[
        {
          id: "settings",
          name: `${session.user.name} · ${session.role}`,
          onChoose: () => navigate("/settings/account"),
        },
        { id: "logout", name: t.logout, onChoose: logout },
      ]}
    />
  );
}
