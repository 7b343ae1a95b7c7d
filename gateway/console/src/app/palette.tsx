import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import { Icon, type IconName } from "@/ui";
import { SECTIONS } from "./routes";
import { text } from "./text";
import { href, part } from "./url";

interface Target {
  id: string;
  name: string;
  kind: string;
  icon: IconName;
  path: string;
  /** also are other words by which it is found. */
  also?: string;
}

/** Palette goes to anything by its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const targets = useTargets();
  const found = useMemo(() => rank(targets, typed).slice(0, 50), [targets, typed]);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const go = (target: Target | undefined) => {
    if (!target) return;
    onClose();
    navigate(target.path);
  };
  return (
    <dialog
      ref={dialog}
      className="dialog palette-dialog"
      aria-label={t.palette}
      onCancel={onClose}
      onPointerDown={(e) => e.target === e.currentTarget && onClose()}
    >
      <div className="palette">
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found[at] ? `palette-${at}` : undefined}
          aria-label={t.palette}
          placeholder={t.paletteHint}
          value={typed}
          onChange={(e) => {
            setTyped(e.target.value);
            setAt(0);
          }}
          onKeyDown={(e) => {
            if (e.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
            else if (e.key === "ArrowUp") setAt(Math.max(at - 1, 0));
            else if (e.key === "Enter") go(found[at]);
            else return;
            e.preventDefault();
          }}
        />
        <ul id="palette-list" role="listbox" aria-label={t.palette} ref={list}>
          {found.map((target, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys.
            <li
              key={target.id}
              id={`palette-${i}`}
              role="option"
              aria-selected={i === at}
              tabIndex={-1}
              onClick={() => go(target)}
              onPointerMove={() => setAt(i)}
            >
              <Icon name={target.icon} />
              <span className="grow clip">{target.name}</span>
              <span className="quiet small">{target.kind}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className="state inline quiet">{t.nothing}</p>}
      </div>
    </dialog>
  );
}

/** rank keeps what has the letters typed, in order; a match at the beginning comes first. */
function rank(targets: Target[], typed: string): Target[] {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return targets;
  const scored = targets.flatMap((target) => {
    const name = target.name.toLowerCase();
    const at = name.indexOf(wanted);
    if (at >= 0) return [{ target, score: at }];
    if (target.also?.toLowerCase().includes(wanted)) return [{ target, score: 500 }];
    return contains(name, wanted) ? [{ target, score: 1000 }] : [];
  });
  return scored.sort((a, b) => a.score - b.score).map((one) => one.target);
}

function contains(name: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    from = name.indexOf(letter, from) + 1;
    if (from === 0) return false;
  }
  return true;
}

/** useTargets are all places; those of the server come when they are known. */
function useTargets(): Target[] {
  const t = useText(text);
  const options = { staleTime: 30_000, retry: false } as const;
  const jobs = useQuery({
    queryKey: ["jobs"],
    queryFn: ({ signal }) => api.get("/api/v1/jobs", { signal }),
    ...options,
  });
  const topics = useQuery({
    queryKey: ["topics", false],
    queryFn: ({ signal }) => api.get("/api/v1/topics", { signal }),
    ...options,
  });
  const indices = useQuery({
    queryKey: ["indices"],
    queryFn: ({ signal }) => api.get("/api/v1/indices", { signal }),
    ...options,
  });
  const dashboards = useQuery({
    queryKey: ["dashboards"],
    queryFn: ({ signal }) => api.get("/api/v1/dashboards", { signal }),
    ...options,
  });
  return useMemo(() => {
    const pages: Target[] = SECTIONS.map((s) => ({
      id: s.path,
      name: t[s.id],
      kind: t.page,
      icon: s.icon,
      path: s.path,
    }));
    const named = (kind: string, icon: IconName, names: (string | undefined)[], path: (name: string) => string) =>
      names.flatMap((name) => (name ? [{ id: `${kind}/${name}`, name, kind, icon, path: path(name) }] : []));
    return [
      ...pages,
      { id: "add-file", name: t.addFile, also: t.addFileAlso, kind: t.page, icon: "plus", path: "/sources?add=1" },
      { id: "new-job", name: t.newJob, kind: t.page, icon: "plus", path: "/jobs/new" },
      ...named(t.job, "jobs", jobs.data?.jobs?.map((j) => j.name) ?? [], (n) => `/jobs/${part(n)}`),
      ...named(t.topic, "messages", topics.data?.topics?.map((o) => o.name) ?? [], (n) => `/messages/${part(n)}`),
      ...named(t.index, "search", indices.data?.indices?.map((i) => i.name) ?? [], (n) =>
        href("/search", { index: n }),
      ),
      ...named(
        t.dashboard,
        "dashboards",
        dashboards.data?.dashboards?.map((d) => d.name) ?? [],
        (n) => `/dashboards/${part(n)}`,
      ),
    ];
  }, [t, jobs.data, topics.data, indices.data, dashboards.data]);
}
