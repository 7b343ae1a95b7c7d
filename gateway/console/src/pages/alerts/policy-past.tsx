import { useMutation } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { keepDraft } from "@/app/draft";
import { absolute, compact, duration } from "@/format";
import { useI18n, useText } from "@/i18n";
import { Button, type ColumnDef, DataTable, Failed, Notice, Select } from "@/ui";
import { namesOf } from "./chart-data";
import { Labels } from "./parts";
import { type PolicyDraft, policyOf } from "./policy";
import { text } from "./policy-text";
import { QueryChart } from "./query-chart";

type Episode = Schema<"Episode">;

const RANGES: [string, number][] = [
  ["1h", 1],
  ["6h", 6],
  ["24h", 24],
  ["3d", 72],
  ["7d", 168],
  ["15d", 360],
];
const HOUR_MS = 3_600_000;

/** Past says when a policy would have fired, as it is typed now. */
export function Past({ draft, ready, statements }: { draft: PolicyDraft; ready: boolean; statements: string }) {
  const t = useText(text);
  const [, navigate] = useLocation();
  const [last, setLast] = useState("24h");
  const [zoomed, setZoomed] = useState<{ from: number; to: number }>();
  const test = useMutation({
    mutationFn: async (range: { from: number; to: number }) => {
      const answer = await api.post("/api/v1/policies:test", {
        body: {
          policy: policyOf(draft),
          from: new Date(range.from).toISOString(),
          to: new Date(range.to).toISOString(),
        },
      });
      return { range, ...answer };
    },
  });
  const run = () => {
    const hours = RANGES.find(([name]) => name === last)?.[1] ?? 24;
    setZoomed(undefined);
    const to = Date.now();
    test.mutate({ from: to - hours * HOUR_MS, to });
  };
  const logs = draft.kind === "logPattern";
  return (
    <section className="section" aria-label={t.past}>
      <h2>{t.past}</h2>
      <p className="quiet small">{ready ? t.pastHint : t.fillIn}</p>
      <form
        className="toolbar"
        onSubmit={(e) => {
          e.preventDefault();
          run();
        }}
      >
        <Select
          label={t.past}
          value={last}
          options={RANGES.map(([name]) => ({ value: name, name: t.last(name) }))}
          onValue={setLast}
        />
        <Button type="submit" icon="play" disabled={!ready || test.isPending}>
          {test.isPending ? t.testing : t.test}
        </Button>
      </form>
      {test.error && <Failed inline error={test.error} />}
      {test.data && (
        <Result
          expr={logs ? "" : (test.data.expr ?? "")}
          episodes={test.data.episodes ?? []}
          truncated={test.data.truncated ?? false}
          range={zoomed ?? test.data.range}
          onZoom={(from, to) => setZoomed({ from: from.getTime(), to: to.getTime() })}
        />
      )}
      {logs && statements && (
        <div>
          <Button
            onClick={() => {
              keepDraft(statements);
              navigate("/jobs/new");
            }}
          >
            {t.preview}
          </Button>
        </div>
      )}
    </section>
  );
}

const LANES = 8;

function Result({
  expr,
  episodes,
  truncated,
  range,
  onZoom,
}: {
  expr: string;
  episodes: Episode[];
  truncated: boolean;
  range: { from: number; to: number };
  onZoom: (from: Date, to: Date) => void;
}) {
  const t = useText(text);
  const lanes = useMemo(() => lanesOf(episodes), [episodes]);
  return (
    <div className="column wide-gap">
      <p role="status" className="strong">
        {episodes.length === 0 ? t.never : t.times(episodes.length, lanes.length)}
      </p>
      {truncated && <Notice tone="late">{t.truncated}</Notice>}
      <div className="column">
        <div className="lanes">
          {lanes.slice(0, LANES).map((lane) => (
            <div key={lane.name} className="lane">
              <p className="small mono clip" title={lane.name}>
                {lane.name}
              </p>
              <div className="lane-track">
                {lane.episodes.map((e) => (
                  <Bar key={`${e.from}`} episode={e} range={range} />
                ))}
              </div>
            </div>
          ))}
        </div>
        {lanes.length > LANES && <p className="quiet small">{t.moreLanes(lanes.length - LANES)}</p>}
        {expr && <QueryChart expr={expr} range={range} onZoom={onZoom} />}
      </div>
      {episodes.length > 0 && <EpisodeTable episodes={episodes} end={range.to} />}
    </div>
  );
}

/** lanesOf puts the episodes of one set of labels in one lane, named by what tells the sets apart. */
export function lanesOf(episodes: readonly Episode[]): { name: string; episodes: Episode[] }[] {
  const lanes = new Map<string, { labels: Record<string, string>; episodes: Episode[] }>();
  for (const e of episodes) {
    const labels = e.labels ?? {};
    const key = JSON.stringify(Object.entries(labels).sort());
    const lane = lanes.get(key) ?? { labels, episodes: [] };
    lane.episodes.push(e);
    lanes.set(key, lane);
  }
  const all = [...lanes.values()];
  const names = namesOf(
    all.map((lane) => lane.labels),
    "",
  );
  return all.map((lane, i) => {
    const everything = Object.entries(lane.labels)
      .filter(([name]) => name !== "severity")
      .map(([name, value]) => `${name}=${value}`)
      .join(" ");
    return { name: names[i] || everything || "–", episodes: lane.episodes };
  });
}

function Bar({ episode, range }: { episode: Episode; range: { from: number; to: number } }) {
  const t = useText(text);
  const { language } = useI18n();
  const from = date(episode.from);
  if (!from) return null;
  const to = date(episode.to);
  const end = to?.getTime() ?? range.to;
  const span = range.to - range.from;
  const left = Math.max(0, (from.getTime() - range.from) / span);
  const right = Math.min(1, (end - range.from) / span);
  if (right <= 0 || left >= 1) return null;
  const lasted = to ? duration(end - from.getTime(), language) : t.still;
  return (
    <span
      className="episode"
      title={`${absolute(from, false)} · ${lasted}`}
      style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }}
    />
  );
}

function EpisodeTable({ episodes, end }: { episodes: Episode[]; end: number }) {
  const t = useText(text);
  const { language } = useI18n();
  const columns = useMemo<ColumnDef<Episode>[]>(
    () => [
      {
        accessorKey: "from",
        header: t.began,
        cell: ({ row }) => {
          const at = date(row.original.from);
          return <span className="num">{at ? absolute(at, false) : "–"}</span>;
        },
      },
      {
        id: "lasted",
        accessorFn: (e) => (date(e.to)?.getTime() ?? end) - (date(e.from)?.getTime() ?? end),
        header: t.lasted,
        meta: { align: "right" },
        cell: ({ row, getValue }) => (
          <span className="num">
            {duration(getValue<number>(), language)}
            {!row.original.to && <span className="late"> {t.still}</span>}
          </span>
        ),
      },
      {
        accessorKey: "value",
        header: t.valueThen,
        meta: { align: "right" },
        cell: ({ row }) => <span className="num">{compact(Number(row.original.value ?? 0))}</span>,
      },
      { id: "labels", header: t.labels, enableSorting: false, cell: ({ row }) => <Labels of={row.original.labels} /> },
    ],
    [t, language, end],
  );
  return (
    <DataTable
      label={t.episodes}
      rows={episodes}
      columns={columns}
      rowId={(e) => `${e.from} ${JSON.stringify(e.labels)}`}
    />
  );
}
