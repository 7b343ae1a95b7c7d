import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { Page, Tabs } from "@/ui";
import { text } from "./text";
import "./alerts.css";

export const VIEWS = ["active", "policies", "silences", "deliveries", "oncall", "templates"] as const;
export type View = (typeof VIEWS)[number];

export const viewPath = (view: string) => (view === "active" ? "/alerts" : `/alerts/${view}`);

/** useAlerts are all alerts that go on. */
export function useAlerts() {
  return useQuery({
    queryKey: ["alerts"],
    queryFn: ({ signal }) => api.get("/api/v1/alerts", { signal }),
    select: (answer) => answer.alerts ?? [],
    refetchInterval: 5000,
  });
}

/** Frame is what all views of alerts have around them: the title, and the views beside one another. */
export function Frame({
  view,
  title,
  beside,
  actions,
  fill,
  children,
}: {
  view: View;
  /** title stands in the place of the page's own. */
  title?: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
  fill?: boolean;
  children: ReactNode;
}) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const alerts = useAlerts();
  return (
    <Page title={title ?? t.title} place="alerts" beside={beside} actions={actions} fill={fill ?? false}>
      <Tabs
        label={t.views}
        value={view}
        onValue={(id) => navigate(viewPath(id))}
        tabs={VIEWS.map((id) => ({ id, name: t[id], count: id === "active" ? alerts.data?.length : undefined }))}
      />
      {children}
    </Page>
  );
}
