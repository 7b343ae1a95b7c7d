import { useEffect, useRef, useState } from "react";
import { whole } from "@/format";
import { useText } from "@/i18n";
import type { Hit } from "@/search/store";
import type { TimeRangeState } from "@/time/range";
import { Badge, Button, Empty, Failed, Loading, Notice } from "@/ui";
import { type Asked, idOf } from "./request";
import type { Change, SearchState } from "./state";
import { DocumentTable } from "./table";
import { useTail } from "./tail";
import { text } from "./text";
import { MOST, useDocuments } from "./use-search";

interface ResultsProps {
  pattern: string;
  asked: Asked;
  state: SearchState;
  set: (change: Change) => void;
  /** onRows tells the documents at hand. */
  onRows: (rows: Hit[]) => void;
  /** setTime looks at a longer time. */
  setTime: () => void;
}

/** Results are the documents found; more come as one scrolls. */
export function Results({
  pattern,
  asked,
  state,
  set,
  onRows,
  setTime,
  time,
  total,
  problem,
}: ResultsProps & { time: TimeRangeState; total: number | undefined; problem: string | undefined }) {
  const t = useText(text);
  const { pages, rows } = useDocuments(pattern, asked, time, true);
  useEffect(() => onRows(rows), [rows, onRows]);
  if (pages.error && problem === undefined) return <Failed error={pages.error} retry={() => pages.refetch()} />;
  if (pages.isPending && problem === undefined) return <Loading lines={12} />;
  return (
    <>
      <DocumentTable
        rows={rows}
        timeField={asked.timeField}
        columns={state.columns}
        onColumns={(columns) => set({ columns })}
        chosen={state.document}
        onChoose={(hit) => set({ document: idOf(hit) })}
        empty={
          problem === undefined && (
            <Empty title={t.none} action={asked.timeField && <Button onClick={setTime}>{t.longer}</Button>}>
              <p>{t.noneHint}</p>
            </Empty>
          )
        }
        below={
          pages.hasNextPage && (
            <More busy={pages.isFetchingNextPage} onMore={() => pages.fetchNextPage({ cancelRefetch: false })} />
          )
        }
      />
      <footer className="row between small quiet search-foot">
        <span className="num">{t.shown(whole(rows.length))}</span>
        {rows.length >= MOST && (total ?? 0) > MOST && <span>{t.limit(whole(MOST))}</span>}
        {!pages.hasNextPage && rows.length > 0 && rows.length < MOST && <span>{t.end}</span>}
      </footer>
    </>
  );
}

/** More asks for the next page when it comes into sight; its button does it by keyboard. */
function More({ busy, onMore }: { busy: boolean; onMore: () => void }) {
  const t = useText(text);
  const box = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  useEffect(() => {
    const element = box.current;
    if (!element || busy) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) more.current();
      },
      { rootMargin: "600px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [busy]);
  return (
    <div ref={box} className="search-more">
      <Button small look="ghost" disabled={busy} onClick={onMore}>
        {busy ? t.loadingMore : t.more}
      </Button>
    </div>
  );
}

/** Live shows documents as they are written, the newest on top; it pauses while one reads. */
export function Live({ pattern, asked, state, set, onRows }: ResultsProps) {
  const t = useText(text);
  const [hover, setHover] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const paused = hover || scrolled;
  const { rows, held, missed, error } = useTail(pattern, asked, true, paused);
  useEffect(() => onRows(rows), [rows, onRows]);
  const goOn = () => {
    setScrolled(false);
    setHover(false);
    box.current?.querySelector(".table-box")?.scrollTo({ top: 0 });
  };
  return (
    <>
      {error !== undefined && <Failed inline error={error} />}
      <div
        ref={box}
        className="search-live"
        onPointerEnter={(e) => e.pointerType === "mouse" && setHover(true)}
        onPointerLeave={() => setHover(false)}
        onScrollCapture={(e) => {
          if (e.target instanceof Element) setScrolled(e.target.scrollTop > 4);
        }}
      >
        <DocumentTable
          rows={rows}
          timeField={asked.timeField}
          columns={state.columns}
          onColumns={(columns) => set({ columns })}
          chosen={state.document}
          onChoose={(hit) => set({ document: idOf(hit) })}
          empty={<p className="state quiet">{t.waiting}</p>}
        />
      </div>
      {missed > 0 && <Notice tone="late">{t.missed(whole(missed))}</Notice>}
      <footer className="row between small search-foot">
        {paused ? (
          <span className="row">
            <Badge tone="accent">{t.paused(whole(held))}</Badge>
            {scrolled && (
              <Button small onClick={goOn}>
                {t.resume}
              </Button>
            )}
          </span>
        ) : (
          <Badge>{t.isLive}</Badge>
        )}
        <span className="quiet num">{t.shown(whole(rows.length))}</span>
      </footer>
    </>
  );
}
