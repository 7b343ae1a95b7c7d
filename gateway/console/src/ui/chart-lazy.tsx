import { lazy, Suspense } from "react";
import type { ChartProps } from "./chart";

export type { TimeSeries } from "./chart";

const Chart = lazy(() => import("./chart"));

/** LazyChart is the chart over time; the library comes with the first one that is shown. */
export function LazyChart(props: ChartProps) {
  const height = props.height ?? 200;
  return (
    <Suspense fallback={<div className="skeleton" style={{ height }} />}>
      <Chart {...props} />
    </Suspense>
  );
}
