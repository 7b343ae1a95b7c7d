import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "@/api/client";
import { compact } from "@/format";
import { useText } from "@/i18n";
import { Failed, Notice, TimeChart } from "@/ui";
import { chartOf, splitComparison } from "./chart-data";
import { text } from "./text";

const MOST = 20;

/** QueryChart draws a query without its comparison, and the limit that it is compared with. */
export function QueryChart({
  expr,
  range,
  only,
  height = 200,
  onZoom,
}: {
  expr: string;
  range: { from: number; to: number };
  /** only keeps the series whose labels these are, where there is such a one. */
  only?: Record<string, string>;
  height?: number;
  onZoom?: (from: Date, to: Date) => void;
}) {
  const t = useText(text);
  const split = useMemo(() => splitComparison(expr), [expr]);
  const answer = useQuery({
    queryKey: ["metrics", "range", split.expr, range.from, range.to],
    queryFn: ({ signal }) =>
      api.get("/api/v1/metrics:queryRange", {
        query: {
          expr: split.expr,
          start: new Date(range.from).toISOString(),
          end: new Date(range.to).toISOString(),
          limit: MOST,
        },
        signal,
      }),
    staleTime: 15_000,
    placeholderData: (before, asked) => (asked?.queryKey[2] === split.expr ? before : undefined),
  });
  const chart = useMemo(() => {
    const all = answer.data?.series ?? [];
    const mine = only
      ? all.filter((s) => Object.entries(s.labels ?? {}).every(([k, v]) => k === "__name__" || (only[k] ?? v) === v))
      : all;
    const made = chartOf(mine.length > 0 ? mine : all, split.expr);
    if (split.limit !== undefined && made.times.length > 0) {
      const limit = split.limit;
      made.series.push({ name: t.limit, values: made.times.map(() => limit), color: "--late-fill" });
    }
    return made;
  }, [answer.data, only, split, t]);
  if (answer.error) return <Failed inline error={answer.error} retry={() => answer.refetch()} />;
  if (answer.isPending) return <div className="skeleton" style={{ height }} />;
  return (
    <>
      {chart.times.length === 0 ? (
        <Notice>{t.noValues}</Notice>
      ) : (
        <TimeChart
          label={split.expr}
          times={chart.times}
          series={chart.series}
          range={range}
          height={height}
          format={compact}
          {...(onZoom ? { onZoom } : {})}
        />
      )}
      {answer.data.warnings?.map((warning) => (
        <p key={warning} className="small late">
          {warning}
        </p>
      ))}
      <p className="small quiet mono break">{split.expr}</p>
    </>
  );
}
