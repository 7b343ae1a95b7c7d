import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { useText } from "@/i18n";
import { Page, Tabs } from "@/ui";
import { text } from "./text";
import "./settings.css";

export const VIEWS = ["account", "users", "tokens", "audit", "services", "about"] as const;
export type View = (typeof VIEWS)[number];

/** Frame is what all settings have around them. */
export function Frame({
  view,
  beside,
  actions,
  fill,
  children,
}: {
  view: View;
  beside?: ReactNode;
  actions?: ReactNode;
  fill?: boolean;
  children: ReactNode;
}) {
  const t = useText(text);
  const [, navigate] = useLocation();
  return (
    <Page title={t.title} beside={beside} actions={actions} fill={fill ?? false}>
      <Tabs
        label={t.views}
        value={view}
        onValue={(id) => navigate(`/settings/${id}`)}
        tabs={VIEWS.map((id) => ({ id, name: t[id] }))}
      />
      {children}
    </Page>
  );
}
