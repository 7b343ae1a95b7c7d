import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { useChange } from "@/api/change";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { useUrlState } from "@/app/url";
import { Ago } from "@/format";
import { useText } from "@/i18n";
import { Badge, Button, type ColumnDef, DataTable, DelayedInput, Empty, QueryView, Select, useToast } from "@/ui";
import { Frame } from "./frame";
import { localTime } from "./local-time";
import { matcherText } from "./matchers";
import { emptySilence, SilenceDialog, type SilenceDraft } from "./silence-dialog";
import { text } from "./silence-text";

type Silence = Schema<"Silence">;

const STATES = ["SILENCE_STATE_ACTIVE", "SILENCE_STATE_PENDING", "SILENCE_STATE_EXPIRED"] as const;
const ORDER: Record<string, number> = { SILENCE_STATE_ACTIVE: 0, SILENCE_STATE_PENDING: 1, SILENCE_STATE_EXPIRED: 2 };

/** draftOf is a silence as it is changed; one that has expired is made anew. */
function draftOf(s: Silence): SilenceDraft {
  const over = s.state === "SILENCE_STATE_EXPIRED";
  const ends = date(s.endsAt);
  return {
    ...emptySilence(),
    id: over ? "" : (s.id ?? ""),
    matchers: s.matchers ?? [],
    from: s.state === "SILENCE_STATE_PENDING" ? localTime(date(s.startsAt) ?? new Date()) : "",
    ...(over || !ends ? {} : { until: localTime(ends) }),
    author: s.createdBy ?? "",
    reason: s.comment ?? "",
  };
}

export function Silences() {
  const t = useText(text);
  const { may } = useSession();
  const [filter, setFilter] = useUrlState("q");
  const [state, setState] = useUrlState("state", "current");
  const [editing, setEditing] = useState<SilenceDraft>();
  const wanted = STATES.find((s) => s === state);
  const silences = useQuery({
    queryKey: ["silences", filter, state],
    queryFn: ({ signal }) => api.get("/api/v1/silences", { query: { text: filter, state: wanted }, signal }),
    refetchInterval: 5000,
  });
  const rows = useMemo(() => {
    const all = silences.data?.silences ?? [];
    const kept = state === "current" ? all.filter((s) => s.state !== "SILENCE_STATE_EXPIRED") : all;
    return kept.toSorted((a, b) => (ORDER[a.state ?? ""] ?? 3) - (ORDER[b.state ?? ""] ?? 3));
  }, [silences.data, state]);
  const columns = useColumns(setEditing);
  const create = (
    <Button look="primary" icon="plus" disabled={!may("operator")} onClick={() => setEditing(emptySilence())}>
      {t.create}
    </Button>
  );
  return (
    <Frame view="silences" actions={create} fill>
      <search className="toolbar">
        <DelayedInput
          type="search"
          label={t.filter}
          placeholder={t.filter}
          value={filter}
          onValue={setFilter}
          className="alerts-filter"
        />
        <Select
          label={t.state}
          value={state}
          options={[
            { value: "current", name: t.current },
            ...STATES.map((s) => ({ value: s, name: t[s] })),
            { value: "", name: t.anyState },
          ]}
          onValue={setState}
        />
        {!may("operator") && <span className="quiet small">{t.needs}</span>}
      </search>
      <QueryView query={silences}>
        {() => (
          <DataTable
            fill
            label={t.create}
            rows={rows}
            columns={columns}
            rowId={(s) => s.id ?? ""}
            empty={
              <Empty title={filter || wanted ? t.noMatch : t.empty}>
                <p>{t.emptyHint}</p>
              </Empty>
            }
          />
        )}
      </QueryView>
      {editing && <SilenceDialog initial={editing} onClose={() => setEditing(undefined)} />}
    </Frame>
  );
}

function useColumns(onEdit: (draft: SilenceDraft) => void): ColumnDef<Silence>[] {
  const t = useText(text);
  const { may } = useSession();
  const toast = useToast();
  const create = useChange([["silences"], ["alerts"]], (s: Silence) =>
    api.post("/api/v1/silences", {
      body: {
        matchers: s.matchers ?? [],
        endsAt: s.endsAt ?? "",
        createdBy: s.createdBy ?? "",
        comment: s.comment ?? "",
      },
    }),
  );
  const expire = useChange([["silences"], ["alerts"]], (s: Silence) =>
    api.delete("/api/v1/silences/{id}", { path: { id: s.id ?? "" } }),
  );
  const again = create.mutate;
  const end = expire.mutate;
  return useMemo<ColumnDef<Silence>[]>(
    () => [
      {
        accessorKey: "state",
        header: t.state,
        meta: { width: 104 },
        cell: ({ row }) => {
          const state = row.original.state ?? "SILENCE_STATE_UNSPECIFIED";
          return <Badge {...(state === "SILENCE_STATE_ACTIVE" ? { tone: "accent" } : {})}>{t[state]}</Badge>;
        },
      },
      {
        id: "matchers",
        header: t.matchers,
        enableSorting: false,
        meta: { className: "alerts-name" },
        cell: ({ row }) => (
          <div className="column">
            <span className="labels">
              {row.original.matchers?.map((m) => (
                <span key={matcherText(m)} className="label mono">
                  {matcherText(m)}
                </span>
              ))}
            </span>
            <span className="narrow-only small soft break">
              {row.original.comment} · {row.original.createdBy} · <Ago at={date(row.original.endsAt)} />
            </span>
          </div>
        ),
      },
      { accessorKey: "comment", header: t.reason, meta: { className: "wide-only break" } },
      { accessorKey: "createdBy", header: t.author, meta: { className: "wide-only break" } },
      {
        id: "alerts",
        accessorFn: (s) => s.alerts?.length ?? 0,
        header: t.alerts,
        meta: { align: "right", className: "wide-only" },
        cell: ({ getValue }) => <span className="num">{getValue<number>()}</span>,
      },
      {
        accessorKey: "endsAt",
        header: t.ends,
        meta: { className: "wide-only" },
        cell: ({ row }) => <Ago at={date(row.original.endsAt)} />,
      },
      {
        id: "do",
        header: "",
        enableSorting: false,
        meta: { align: "right" },
        cell: ({ row: { original: s } }) => (
          <span className="row wrap alerts-do">
            <Button small disabled={!may("operator")} onClick={() => onEdit(draftOf(s))}>
              {s.state === "SILENCE_STATE_EXPIRED" ? t.again : t.edit}
            </Button>
            {s.state !== "SILENCE_STATE_EXPIRED" && (
              <Button
                small
                disabled={!may("operator")}
                onClick={() => end(s, { onSuccess: () => toast({ message: t.expired, undo: () => again(s) }) })}
              >
                {t.expire}
              </Button>
            )}
          </span>
        ),
      },
    ],
    [t, may, toast, end, again, onEdit],
  );
}
