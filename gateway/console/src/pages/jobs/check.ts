import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api } from "@/api/client";
import { useText } from "@/i18n";
import type { Catalog } from "@/sql/complete";
import { bareQueries, maskedOptions, placed, writes } from "@/sql/statements";
import { text } from "./text";
import type { Draft } from "./workbench";

/** useDelayed is a value once it has stayed the same for a while. */
export function useDelayed<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

export interface Problem {
  line: number;
  column: number;
  message: string;
  hint: string;
  /** unfinished: nothing is wrong, but a job needs more: the script only shows rows. */
  unfinished: boolean;
}

/** Refusal is what the server had against statements when they were to be kept. */
export interface Refusal {
  sql: string;
  message: string;
}

/** useCheck validates statements as they are typed; what they were refused for stays until they change. */
export function useCheck(draft: Draft, job: string | undefined, refusal?: Refusal) {
  const t = useText(text);
  const settled = useDelayed(draft, 350);
  const query = useQuery({
    queryKey: ["check", settled.sql, settled.parameters, job],
    enabled: settled.sql.trim() !== "",
    queryFn: ({ signal }) =>
      api.post("/api/v1/jobs:validate", { body: { sql: settled.sql, parameters: record(settled), job }, signal }),
    staleTime: 60_000,
  });
  const problems = useMemo<Problem[]>(() => {
    if (settled.sql.trim() === "") return [];
    const queries = bareQueries(settled.sql);
    const inserts = writes(settled.sql);
    const told = (query.data?.problems ?? []).map((p) => {
      const line = p.line ?? 0;
      const column = p.column ?? 0;
      const unfinished = line === 0 ? !inserts : queries.some((q) => q.line === line && q.column === column);
      return { line, column, message: p.message ?? "", hint: p.hint ?? "", unfinished };
    });
    // A job that is there has its secrets; a new one cannot take them from anywhere.
    const masked = (job === undefined ? maskedOptions(settled.sql) : []).map(({ line, column, name }) => {
      const hint = /^(connector\.)?password$/.test(name) ? t.maskedPasswordHint : t.maskedHint;
      return { line, column, message: t.masked(name), hint, unfinished: false };
    });
    const all = [...told, ...masked];
    const refused = refusal?.sql === settled.sql ? placed(refusal.message) : undefined;
    if (refused && !all.some((p) => p.line === refused.line)) all.push({ ...refused, hint: "", unfinished: false });
    return all;
  }, [query.data, settled.sql, job, refusal, t]);
  const checking = settled !== draft || query.isFetching;
  return { answer: query.data, problems, checking, error: query.error, check: query.refetch };
}

/** useCatalog is what the statements so far may name; the last one stays while another is asked for. */
export function useCatalog(draft: Draft): Catalog {
  const settled = useDelayed(draft, 700);
  const query = useQuery({
    queryKey: ["catalog", settled.sql, settled.parameters],
    queryFn: ({ signal }) =>
      api.post("/api/v1/jobs:catalog", { body: { sql: settled.sql, parameters: record(settled) }, signal }),
    staleTime: 60_000,
    retry: false,
  });
  return useMemo<Catalog>(() => {
    const data = query.data;
    return {
      tables: (data?.tables ?? []).map((table) => ({
        name: table.name ?? "",
        view: table.view ?? false,
        columns: (table.columns ?? []).map((c) => ({ name: c.name ?? "", type: c.type ?? "" })),
      })),
      // Operators are functions, too: nobody types them by name.
      functions: (data?.functions ?? [])
        .map((f) => ({ name: f.name ?? "", kind: f.kind ?? "" }))
        .filter((f) => /^[A-Za-z]/.test(f.name)),
      keywords: data?.keywords ?? [],
      connectors: (data?.connectors ?? []).map((c) => ({ name: c.name ?? "", options: c.options ?? [] })),
    };
  }, [query.data]);
}

/** record are a draft's parameters as the API takes them; rows without a key are left out. */
export function record(draft: Draft): Record<string, string> {
  return Object.fromEntries(draft.parameters.filter(([key]) => key.trim() !== ""));
}
