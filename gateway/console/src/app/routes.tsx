import { type ComponentType, lazy } from "react";
import type { IconName } from "@/ui";

export type PageId = "flow" | "sources" | "messages" | "jobs" | "search" | "dashboards" | "alerts" | "settings";

/** Section is a page of the left rail. Each is a chunk of its own, with what is below its path. */
export interface Section {
  id: PageId;
  path: string;
  icon: IconName;
  page: ComponentType;
}

/** SECTIONS are the pages in the rail's order. A page routes what is below its path itself. */
export const SECTIONS: Section[] = [
  { id: "flow", path: "/flow", icon: "flow", page: lazy(() => import("@/pages/flow")) },
  { id: "sources", path: "/sources", icon: "sources", page: lazy(() => import("@/pages/sources")) },
  { id: "messages", path: "/messages", icon: "messages", page: lazy(() => import("@/pages/messages")) },
  { id: "jobs", path: "/jobs", icon: "jobs", page: lazy(() => import("@/pages/jobs")) },
  { id: "search", path: "/search", icon: "search", page: lazy(() => import("@/pages/search")) },
  { id: "dashboards", path: "/dashboards", icon: "dashboards", page: lazy(() => import("@/pages/dashboards")) },
  { id: "alerts", path: "/alerts", icon: "alerts", page: lazy(() => import("@/pages/alerts")) },
  { id: "settings", path: "/settings", icon: "settings", page: lazy(() => import("@/pages/settings")) },
];

/** LoginPage stands alone, without rail and bar. */
export const LoginPage = lazy(() => import("@/pages/settings/login"));
