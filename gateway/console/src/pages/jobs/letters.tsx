import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Schema } from "@weirflow/sdk";
import { useMemo, useState } from "react";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { useSession } from "@/api/session";
import { useUrlState } from "@/app/url";
import { Ago, whole } from "@/format";
import { useText } from "@/i18n";
import {
  Badge,
  Button,
  type ColumnDef,
  Confirm,
  DataTable,
  DelayedInput,
  Empty,
  Failed,
  Loading,
  Notice,
  Select,
  useToast,
} from "@/ui";
import { LetterDrawer } from "./letter";
import { text } from "./text";

export type Letter = Schema<"Letter">;
type Filter = Schema<"LetterFilter">;

const OPEN = "DEAD_LETTER_STATE_OPEN";
const PAGE = 200;
/** MOST is up to how many letters are counted before they are replayed or discarded together. */
const MOST = 100_000;

export function LetterState({ state }: { state: Letter["state"] }) {
  const t = useText(text);
  switch (state) {
    case "DEAD_LETTER_STATE_REPLAYED":
      return <Badge>{t.replayed}</Badge>;
    case "DEAD_LETTER_STATE_DISCARDED":
      return <Badge>{t.discarded}</Badge>;
    default:
      return <Badge tone="bad">{t.openState}</Badge>;
  }
}

/** DeadLetters list what a job has set aside: to look at, mend, replay and discard. */
export function DeadLetters({
  name,
  counts,
}: {
  name: string;
  counts: Schema<"CountDeadLettersResponse"> | undefined;
}) {
  const t = useText(text);
  const may = useSession().may("operator");
  const [state, setState] = useUrlState("state", OPEN);
  const [kind, setKind] = useUrlState("kind");
  const [search, setSearch] = useUrlState("text");
  const [chosen, setChosen] = useUrlState("letter");
  const [asking, setAsking] = useState<"replay" | "discard">();
  const filter = useMemo<Filter>(
    () => ({
      ...(state === "all" ? {} : { state: state as Filter["state"] }),
      ...(kind ? { errorType: kind } : {}),
      ...(search ? { text: search } : {}),
    }),
    [state, kind, search],
  );
  const letters = useInfiniteQuery({
    queryKey: ["job", name, "letters", "list", filter],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/jobs/{job}/deadletters", {
        path: { job: name },
        query: { ...filter, pageSize: PAGE, pageToken: pageParam || undefined },
        signal,
      }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
  const rows = useMemo(() => (letters.data?.pages ?? []).flatMap((page) => page.letters ?? []), [letters.data]);
  const columns = useLetterColumns();
  const kinds = [...new Set((counts?.kinds ?? []).flatMap((one) => one.errorType || []))].sort();
  const narrowed = kind !== "" || search !== "" || state !== OPEN;
  const dealable = rows.length > 0 && state === OPEN;
  return (
    <>
      <search className="toolbar">
        <Select
          label={t.state}
          value={state}
          options={[
            { value: OPEN, name: t.openState },
            { value: "DEAD_LETTER_STATE_REPLAYED", name: t.replayed },
            { value: "DEAD_LETTER_STATE_DISCARDED", name: t.discarded },
            { value: "all", name: t.allStates },
          ]}
          onValue={setState}
        />
        <Select
          label={t.kind}
          value={kind}
          options={[{ value: "", name: t.allKinds }, ...kinds.map((one) => ({ value: one, name: one }))]}
          onValue={setKind}
        />
        <DelayedInput
          type="search"
          className="grow"
          label={t.search}
          placeholder={t.search}
          value={search}
          onValue={setSearch}
        />
        <Button
          disabled={!may || !dealable}
          title={may ? undefined : t.needsOperator}
          onClick={() => setAsking("replay")}
        >
          {t.replayAll}
        </Button>
        <Button
          look="danger"
          disabled={!may || !dealable}
          title={may ? undefined : t.needsOperator}
          onClick={() => setAsking("discard")}
        >
          {t.discardAll}
        </Button>
      </search>
      {letters.error ? (
        <Failed error={letters.error} retry={() => letters.refetch()} />
      ) : letters.isPending ? (
        <Loading />
      ) : (
        <DataTable
          label={t.letters}
          rows={rows}
          columns={columns}
          rowId={(letter) => letter.id ?? ""}
          onRow={(letter) => setChosen(letter.id ?? "")}
          chosen={chosen}
          fill
          empty={
            <Empty title={narrowed ? t.noLettersMatch : t.noLetters}>{!narrowed && <p>{t.noLettersHint}</p>}</Empty>
          }
          below={
            letters.hasNextPage && (
              <div className="letters-more">
                <Button small disabled={letters.isFetching} onClick={() => letters.fetchNextPage()}>
                  {t.moreLetters}
                </Button>
              </div>
            )
          }
        />
      )}
      {chosen && <LetterDrawer key={chosen} job={name} id={chosen} onClose={() => setChosen("")} />}
      {asking && <Deal job={name} filter={filter} how={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}

function useLetterColumns(): ColumnDef<Letter>[] {
  const t = useText(text);
  return useMemo(
    () => [
      {
        id: "at",
        header: t.when,
        enableSorting: false,
        cell: ({ row }) => <Ago at={date(row.original.letter?.ingestionTs)} />,
      },
      {
        accessorKey: "state",
        header: t.state,
        enableSorting: false,
        cell: ({ row }) => <LetterState state={row.original.state} />,
      },
      {
        id: "kind",
        header: t.kind,
        enableSorting: false,
        meta: { className: "wide-only-cell" },
        cell: ({ row }) => row.original.letter?.errorType,
      },
      {
        id: "table",
        header: t.table,
        enableSorting: false,
        meta: { className: "wide-only-cell" },
        cell: ({ row }) => row.original.letter?.sourceTable,
      },
      {
        id: "stage",
        header: t.stage,
        enableSorting: false,
        meta: { className: "wide-only-cell" },
        cell: ({ row }) => <span className="soft">{row.original.letter?.stage}</span>,
      },
      {
        id: "payload",
        header: `${t.message} · ${t.payload}`,
        enableSorting: false,
        meta: { className: "mono letters-payload" },
        cell: ({ row: { original: letter } }) => (
          <span className="clip letters-line" title={letter.letter?.errorMessage}>
            {letter.letter?.errorMessage} <span className="quiet">{letter.text}</span>
          </span>
        ),
      },
    ],
    [t],
  );
}

/** countMatching counts the letters that a filter matches, up to a bound. */
async function countMatching(job: string, filter: Filter, signal?: AbortSignal): Promise<number> {
  let count = 0;
  let pageToken: string | undefined;
  do {
    const page = await api.get("/api/v1/jobs/{job}/deadletters", {
      path: { job },
      query: { ...filter, pageSize: 1000, pageToken },
      ...(signal ? { signal } : {}),
    });
    count += page.letters?.length ?? 0;
    pageToken = page.nextPageToken || undefined;
  } while (pageToken && count <= MOST);
  return count;
}

/** Deal replays or discards all letters of a filter, after one has seen how many they are. */
function Deal({
  job,
  filter,
  how,
  onClose,
}: {
  job: string;
  filter: Filter;
  how: "replay" | "discard";
  onClose: () => void;
}) {
  const t = useText(text);
  const toast = useToast();
  const queries = useQueryClient();
  const count = useCount(job, filter);
  const deal = useMutation({
    mutationFn: async () => {
      const request = { path: { job }, body: { filter } };
      if (how === "discard") {
        const done = await api.post("/api/v1/jobs/{job}/deadletters:discard", request);
        return { done: done.discarded, skipped: done.skipped, failed: done.failed, notes: [] as string[] };
      }
      const done = await api.post("/api/v1/jobs/{job}/deadletters:replay", request);
      return { done: done.replayed, skipped: done.skipped, failed: done.failed, notes: done.notes ?? [] };
    },
    onSuccess: ({ done, skipped, failed, notes }) => {
      const result = t.result(whole(Number(done ?? 0)), whole(Number(skipped ?? 0)), whole(Number(failed ?? 0)));
      toast({ message: [result, ...notes].join(" · ") });
      queries.invalidateQueries({ queryKey: ["job", job] });
      onClose();
    },
  });
  const n = count.data === undefined ? "…" : whole(count.data);
  const tooMany = (count.data ?? 0) > MOST;
  return (
    <Confirm
      title={how === "discard" ? t.discardTitle(n) : t.replayTitle(n)}
      action={how === "discard" ? t.discard : t.replay}
      typed={how === "discard" ? String(count.data ?? "…") : undefined}
      busy={deal.isPending || count.data === undefined || tooMany}
      onClose={onClose}
      onConfirm={() => deal.mutate()}
    >
      {count.isPending && <p className="quiet">{t.counting}</p>}
      {tooMany ? (
        <Notice tone="late">{t.tooMany(whole(MOST))}</Notice>
      ) : (
        <p>{how === "discard" ? t.discardLoses(n) : t.replayHint}</p>
      )}
      {(deal.error ?? count.error) && <Notice tone="bad">{(deal.error ?? count.error)?.message}</Notice>}
    </Confirm>
  );
}

function useCount(job: string, filter: Filter) {
  return useQuery({
    queryKey: ["job", job, "letters", "count", filter],
    queryFn: ({ signal }) => countMatching(job, filter, signal),
    staleTime: 0,
    placeholderData: undefined,
  });
}
