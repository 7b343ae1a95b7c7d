import { useEffect, useEffectEvent, useRef, useState } from "react";
import { documents, type Hit } from "@/search/store";
import { timeOf } from "./document";
import { writeFilters } from "./filter";
import { type Asked, idOf, pageOf } from "./request";
import { newestFirst, Seen } from "./seen";
import { MOST } from "./use-search";

const EVERY_MS = 1000;
/** LATE is how much later than others a document may come and still be shown. */
const LATE_MS = 10_000;
const PAGES = 4;
const PAGE = 500;
const FIRST = 50;

/**
 * useTail brings documents as they are written, the newest first. Each second it asks for
 * what came since, and for the seconds before: documents don't come in the order of their times.
 */
export function useTail(pattern: string, asked: Asked, on: boolean, paused: boolean) {
  const [rows, setRows] = useState<Hit[]>([]);
  const [held, setHeld] = useState(0);
  const [missed, setMissed] = useState(0);
  const [error, setError] = useState<unknown>();
  const waiting = useRef<Hit[]>([]);
  const key = JSON.stringify([pattern, asked.query, writeFilters(asked.filters), asked.timeField, asked.fields.length]);
  const request = useEffectEvent((since: number | undefined, after: unknown[] | undefined, size: number) =>
    pageOf(asked, since === undefined ? undefined : { from: since, to: Date.now() + 86_400_000 }, after, size),
  );
  const take = useEffectEvent(() => {
    if (paused) {
      setHeld(waiting.current.length);
      return;
    }
    setHeld(0);
    const fresh = waiting.current;
    if (fresh.length === 0) return;
    waiting.current = [];
    setRows((old) => newestFirst([...fresh, ...old], asked.timeField).slice(0, MOST));
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for what is asked.
  useEffect(() => {
    setRows([]);
    setMissed(0);
    setError(undefined);
    waiting.current = [];
    if (!on) return;
    const abort = new AbortController();
    const seen = new Seen();
    let newest: number | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const poll = async () => {
      let after: unknown[] | undefined;
      const first = newest === undefined;
      const since = newest === undefined ? undefined : newest - LATE_MS;
      for (let page = 0; page < PAGES; page++) {
        const size = first ? FIRST : PAGE;
        const answer = await documents(pattern, request(since, after, size), abort.signal);
        const hits = answer.hits?.hits ?? [];
        const fresh = hits.filter((hit) => seen.add(idOf(hit)));
        for (const hit of fresh) {
          const at = timeOf(hit, asked.timeField)?.getTime();
          if (at !== undefined && at <= Date.now()) newest = Math.max(newest ?? 0, at);
        }
        waiting.current = [...fresh, ...waiting.current].slice(0, MOST);
        if (first || hits.length < size || fresh.length === 0) break;
        after = hits.at(-1)?.sort;
        if (page === PAGES - 1) setMissed((n) => n + 1);
      }
      newest ??= Date.now();
    };
    const run = async () => {
      try {
        await poll();
        setError(undefined);
      } catch (e) {
        if (abort.signal.aborted) return;
        setError(e);
      }
      if (abort.signal.aborted) return;
      take();
      timer = setTimeout(run, EVERY_MS);
    };
    run();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, on]);
  useEffect(() => {
    if (!paused) take();
  }, [paused]);

  return { rows, held, missed, error };
}
