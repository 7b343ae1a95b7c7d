import type { ReactNode } from "react";
import { Link } from "wouter";
import { texts, useText } from "@/i18n";
import "./page.css";

/** Place is where on the way from file to alert a page is. */
export type Place = "sources" | "messages" | "jobs" | "search" | "alerts";

const text = texts(
  {
    way: "The way of the stream",
    sources: "Files",
    messages: "Topics",
    jobs: "Jobs",
    search: "Indices",
    alerts: "Alerts",
  },
  { way: "数据流向", sources: "文件", messages: "Topic", jobs: "作业", search: "索引", alerts: "告警" },
);

const PLACES: Place[] = ["sources", "messages", "jobs", "search", "alerts"];

/** Stream is the way from file to alert in one line, with the place where one is. */
export function Stream({ place }: { place: Place }) {
  const t = useText(text);
  return (
    <nav className="stream wide-only" aria-label={t.way}>
      <ol>
        {PLACES.map((one) => (
          <li key={one}>
            <Link href={`/${one}`} aria-current={one === place ? "location" : undefined}>
              {t[one]}
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/**
 * Page is the frame of every page: the title with what stands beside it, the place on the
 * stream, and the content below. `fill` gives the content the height that is left.
 */
export function Page({
  title,
  parent,
  place,
  beside,
  actions,
  fill,
  children,
}: {
  title: ReactNode;
  /** parent is the list that this is one of. */
  parent?: { name: string; path: string };
  place?: Place;
  beside?: ReactNode;
  actions?: ReactNode;
  fill?: boolean;
  children: ReactNode;
}) {
  return (
    <div className={fill ? "page fill" : "page"}>
      <header className="page-head">
        <div className="page-title">
          {parent && (
            <Link href={parent.path} className="page-parent">
              {parent.name} /
            </Link>
          )}
          <h1 className="clip">{title}</h1>
          {beside}
        </div>
        {place && <Stream place={place} />}
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      <div className="page-body">{children}</div>
    </div>
  );
}
