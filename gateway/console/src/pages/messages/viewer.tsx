import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { num } from "@/api/numbers";
import { useSession } from "@/api/session";
import { useUrlState } from "@/app/url";
import { whole } from "@/format";
import { useText } from "@/i18n";
import { newPolicyHref } from "@/pages/alerts/from-lines";
import { Button, DelayedInput, Empty, Failed, Loading, Notice, Page, Select } from "@/ui";
import { Following } from "./follow";
import { type Message, messageOf } from "./message";
import { MessageTable } from "./message-table";
import { FROMS, LASTS, type Place, queryOf, type ReadFrom } from "./place";
import { TableDialog } from "./table-dialog";
import { text } from "./text";
import { TopicDetails } from "./topic-details";

const PAGE = 200;

/** usePlace keeps where one reads in the URL. */
function usePlace() {
  const [partition, setPartition] = useUrlState("partition");
  const [from, setFrom] = useUrlState("from", "last");
  const [last, setLast] = useUrlState("last", "200");
  const [offset, setOffset] = useUrlState("offset", "0");
  const [time, setTime] = useUrlState("time", "now-15m");
  const [contains, setContains] = useUrlState("contains");
  const known = FROMS.includes(from as ReadFrom) ? (from as ReadFrom) : "last";
  const place: Place = { partition, from: known, last, offset, time, contains };
  return { place, setPartition, setFrom, setLast, setOffset, setTime, setContains };
}

/** Viewer shows the messages of a topic. */
export function Viewer({ topic }: { topic: string }) {
  const t = useText(text);
  const { may } = useSession();
  const { place, ...set } = usePlace();
  const [follow, setFollow] = useUrlState("follow");
  const [dialog, setDialog] = useState<"table" | "details">();
  const [sample, setSample] = useState<Message[]>([]);
  // Kept here, so that a message stays open when one filters by a value of it.
  const [chosen, setChosen] = useState<Message>();
  const about = useQuery({
    queryKey: ["topic", topic],
    queryFn: ({ signal }) => api.get("/api/v1/topics/{topic}", { path: { topic }, signal }),
    refetchInterval: 5000,
  });
  const partitions = about.data?.topic?.partitions ?? [];
  return (
    <Page
      title={topic}
      parent={{ name: t.title, path: "/messages" }}
      place="messages"
      beside={
        <Button small look="ghost" onClick={() => setDialog("details")}>
          {t.details}
        </Button>
      }
      actions={
        <>
          {may("operator") && (
            <Link
              className="button ghost"
              href={newPolicyHref({ topic, contains: place.contains })}
              title={t.makeAlert}
            >
              {t.alert}
            </Link>
          )}
          <Button
            look="primary"
            title={t.createTableHint}
            disabled={sample.length === 0}
            onClick={() => setDialog("table")}
          >
            {t.createTable}
          </Button>
        </>
      }
      fill
    >
      <search className="toolbar messages-bar">
        <Select
          label={t.from}
          value={place.from}
          disabled={follow !== ""}
          options={FROMS.map((from) => ({ value: from, name: t[from] }))}
          onValue={set.setFrom}
        />
        {!follow && place.from === "last" && (
          <Select label={t.last} value={place.last} options={LASTS} onValue={set.setLast} />
        )}
        {!follow && place.from === "offset" && (
          <DelayedInput
            label={t.offsetHint}
            inputMode="numeric"
            value={place.offset}
            onValue={set.setOffset}
            className="messages-offset"
          />
        )}
        {!follow && place.from === "time" && (
          <DelayedInput
            label={t.time}
            placeholder={t.timeHint}
            value={place.time}
            onValue={set.setTime}
            delayMs={600}
          />
        )}
        <Select
          label={t.partition}
          value={place.partition}
          options={[
            { value: "", name: t.all },
            ...partitions.map((p) => ({ value: String(p.id ?? 0), name: `${t.partition} ${p.id ?? 0}` })),
          ]}
          onValue={set.setPartition}
        />
        <DelayedInput
          type="search"
          label={t.contains}
          placeholder={t.contains}
          value={place.contains}
          onValue={set.setContains}
          className="grow messages-contains"
        />
        <Button
          icon={follow ? "stop" : "play"}
          aria-pressed={follow !== ""}
          onClick={() => setFollow(follow ? "" : "1")}
        >
          {follow ? t.stop : t.follow}
        </Button>
      </search>
      {follow ? (
        <Following
          key={`${place.partition} ${place.contains}`}
          topic={topic}
          place={place}
          onFilter={set.setContains}
          onSample={setSample}
          chosen={chosen}
          onChoose={setChosen}
        />
      ) : (
        <Pages
          topic={topic}
          place={place}
          onFilter={set.setContains}
          onSample={setSample}
          chosen={chosen}
          onChoose={setChosen}
          setFrom={set.setFrom}
        />
      )}
      {dialog === "table" && <TableDialog topic={topic} messages={sample} onClose={() => setDialog(undefined)} />}
      {dialog === "details" && about.data?.topic && (
        <TopicDetails topic={about.data.topic} onClose={() => setDialog(undefined)} />
      )}
    </Page>
  );
}

interface ListProps {
  topic: string;
  place: Place;
  onFilter: (text: string) => void;
  chosen: Message | undefined;
  onChoose: (message: Message | undefined) => void;
  /** onSample tells the messages that are shown: a table is inferred from them. */
  onSample: (messages: Message[]) => void;
}

function Pages({
  topic,
  place,
  onFilter,
  onSample,
  chosen,
  onChoose,
  setFrom,
}: ListProps & { setFrom: (from: string) => void }) {
  const t = useText(text);
  const query = queryOf(place);
  const pages = useInfiniteQuery({
    queryKey: ["messages", topic, place],
    enabled: typeof query === "object",
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => {
      const pageSize = place.from === "last" ? Math.min(1000, Number(place.last)) : PAGE;
      const asked = typeof query === "object" ? query : {};
      const page = await api.get("/api/v1/topics/{topic}/messages", {
        path: { topic },
        query: { ...asked, pageSize, pageToken: pageParam || undefined },
        signal,
      });
      return {
        messages: (page.messages ?? []).map(messageOf),
        next: page.nextPageToken ?? "",
        scanned: num(page.scanned),
      };
    },
    getNextPageParam: (page) => page.next || undefined,
  });
  const newestFirst = place.from === "last";
  const rows = useMemo(() => {
    const all = (pages.data?.pages ?? []).flatMap((page) => page.messages);
    return newestFirst ? all.toSorted(newer) : all;
  }, [pages.data, newestFirst]);
  useEffect(() => onSample(rows.slice(0, 500)), [rows, onSample]);
  const scanned = (pages.data?.pages ?? []).reduce((sum, page) => sum + page.scanned, 0);

  if (query === "offset-needs-partition") return <Notice>{t.offsetNeeds}</Notice>;
  if (query === "no-time") return <Notice tone="late">{t.timeWrong}</Notice>;
  if (pages.error) return <Failed error={pages.error} retry={() => pages.refetch()} />;
  if (pages.isPending) return <Loading lines={12} />;
  const more = pages.hasNextPage && (
    <Button onClick={() => pages.fetchNextPage()} disabled={pages.isFetching}>
      {rows.length === 0 ? t.further : t.more}
    </Button>
  );
  return (
    <>
      <MessageTable
        rows={rows}
        chosen={chosen}
        onChoose={onChoose}
        onFilter={onFilter}
        empty={
          <Empty
            title={t.none}
            action={
              more || (newestFirst && <Button onClick={() => setFrom("earliest")}>{t.fromFirst}</Button>) || undefined
            }
          >
            <p>{place.contains ? t.noneContains(place.contains, whole(scanned)) : t.noneHint}</p>
          </Empty>
        }
      />
      <footer className="row between">
        <span className="quiet small num">{t.found(whole(rows.length), whole(scanned))}</span>
        {rows.length > 0 && (more || <span className="quiet small">{t.end}</span>)}
      </footer>
    </>
  );
}

/** newer puts the latest first; within a partition by offset, which never lies. */
export function newer(a: Message, b: Message): number {
  if (a.partition === b.partition) return b.offset - a.offset;
  return (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0);
}
