import { useEffect, useEffectEvent, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { color, useTheme } from "@/theme/theme";
import { lonely } from "./lonely";

export interface TimeSeries {
  name: string;
  /** values belong to the times, one each; null is a gap, and a line goes on over undefined. */
  values: (number | null | undefined)[];
  /** color is a token such as --bad; a series' own colour without it. */
  color?: string;
}

export interface ChartProps {
  /** times in milliseconds since the epoch, rising. */
  times: number[];
  series: TimeSeries[];
  /** type: lines, areas that lie on one another, or bars that do. */
  type?: "line" | "area" | "bar";
  /** stacked: areas and bars lie on one another unless this is false. */
  stacked?: boolean;
  /** fit: the axis begins where the values do, rather than at 0: for moments. */
  fit?: boolean;
  height?: number;
  /** format writes a value: rate, bytes, compact … */
  format?: (value: number) => string;
  /** range is what the chart spans, in milliseconds; the data's without it. */
  range?: { from: number; to: number };
  /** onZoom is called with what was dragged over. */
  onZoom?: (from: Date, to: Date) => void;
  label: string;
  legend?: boolean;
}

const SERIES = 8;

/** Chart draws values over time. Drag zooms; the legend shows the values under the pointer. */
export default function Chart(props: ChartProps) {
  const { times, series, type = "line", height = 200, format = String, range, label, legend = true } = props;
  const { dark } = useTheme();
  const box = useRef<HTMLElement>(null);
  const plot = useRef<uPlot | null>(null);
  const zoom = useEffectEvent((from: Date, to: Date) => props.onZoom?.(from, to));
  const write = useEffectEvent(format);
  const zooms = props.onZoom !== undefined;
  const stacked = type !== "line" && props.stacked !== false;
  const fit = props.fit ?? false;
  const shape = `${type}|${stacked}|${fit}|${legend}|${series.map((s) => `${s.name}:${s.color ?? ""}`).join("|")}`;
  const data = useMemo(() => layers(times, series, stacked), [times, series, stacked]);
  const latest = useRef({ data, range, series });
  latest.current = { data, range, series };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart is made anew for another shape or theme only.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const options = chartOptions({
      series: latest.current.series,
      type,
      stacked,
      fit,
      height,
      legend,
      width: element.clientWidth,
      raw: (i, at) => latest.current.series[i]?.values[at] ?? null,
      write: (v) => write(v),
      range: () => latest.current.range,
      onZoom: zooms ? (a, b) => zoom(a, b) : undefined,
    });
    const made = new uPlot(options, latest.current.data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, dark, height, zooms]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range is read from `latest`.
  useEffect(() => {
    plot.current?.setData(latest.current.data);
  }, [range?.from, range?.to]);

  return <figure ref={box} className="chart" role="img" aria-label={label} />;
}

/** layers makes the columns that uPlot draws: sums from below for what is stacked. */
function layers(times: number[], series: TimeSeries[], stacked: boolean): uPlot.AlignedData {
  const x = times.map((t) => t / 1000);
  if (!stacked) return [x, ...series.map((s) => s.values)] as uPlot.AlignedData;
  const sum = new Array<number>(times.length).fill(0);
  const columns = series.map((s) =>
    times.map((_, i) => {
      sum[i] = (sum[i] ?? 0) + (s.values[i] ?? 0);
      return sum[i] ?? 0;
    }),
  );
  // The highest is drawn first, so that the lower ones lie before it.
  return [x, ...columns.reverse()] as uPlot.AlignedData;
}

interface Making {
  series: TimeSeries[];
  type: "line" | "area" | "bar";
  stacked: boolean;
  fit: boolean;
  height: number;
  width: number;
  legend: boolean;
  raw: (series: number, at: number) => number | null;
  write: (value: number) => string;
  range: () => { from: number; to: number } | undefined;
  onZoom: ((from: Date, to: Date) => void) | undefined;
}

function chartOptions(m: Making): uPlot.Options {
  const { stacked } = m;
  const count = m.series.length;
  const order = m.series.map((_, i) => (stacked ? count - 1 - i : i));
  const bars = m.type === "bar" ? uPlot.paths.bars?.({ size: [0.8, 60], align: 1 }) : undefined;
  const grid = { stroke: color("--line"), width: 1 };
  const axis = { stroke: color("--text-3"), grid, ticks: { show: false }, font: "11px system-ui" };
  return {
    width: Math.max(m.width, 50),
    height: m.height,
    padding: [8, 8, 0, 0],
    legend: { show: m.legend, live: true },
    cursor: { points: { size: 5 }, drag: { x: m.onZoom !== undefined, y: false, setScale: false } },
    scales: {
      x: {
        time: true,
        range: (_, min, max) => {
          const range = m.range();
          return range ? [range.from / 1000, range.to / 1000] : [min, max];
        },
      },
      y: {
        range: (_, min, max) => {
          if (m.fit && min !== null && max !== null) return [min, max > min ? max : min + 1];
          return [Math.min(0, min ?? 0), max > 0 ? max * 1.08 : 1];
        },
      },
    },
    axes: [
      { ...axis, size: 28, ...timeAxis() },
      { ...axis, size: 64, values: (_, values) => values.map((v) => m.write(v)) },
    ],
    series: [
      { value: (_, v) => (v === null || v === undefined ? "–" : new Date(v * 1000).toLocaleTimeString()) },
      ...order.map((i) => {
        const stroke = color(m.series[i]?.color ?? `--series-${(i % SERIES) + 1}`);
        return {
          label: m.series[i]?.name ?? "",
          stroke,
          width: m.type === "bar" ? 0 : 1.5,
          ...(m.type !== "line"
            ? {
                fill:
                  m.type === "bar"
                    ? stroke
                    : `color-mix(in srgb, ${stroke} ${stacked ? 35 : 15}%, ${stacked ? color("--bg") : "transparent"})`,
              }
            : {}),
          ...(bars ? { paths: bars } : {}),
          points:
            m.type === "bar"
              ? { show: false }
              : {
                  size: 5,
                  fill: stroke,
                  show: (u, at) => dots(u, at).length > 0,
                  filter: (u, at) => dots(u, at),
                },
          value: (_: uPlot, __: number, ___: number, at: number | null) => {
            const value = at === null ? null : m.raw(i, at);
            return value === null ? "–" : m.write(value);
          },
        } satisfies uPlot.Series;
      }),
    ],
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 4) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          m.onZoom?.(new Date(from * 1000), new Date(to * 1000));
        },
      ],
    },
  };
}

/** dots are the values of a series that its line does not show. */
function dots(u: uPlot, at: number): number[] {
  return lonely((u.data[at] ?? []) as (number | null | undefined)[]);
}

/** timeAxis writes times on a 24-hour clock, with the day where it changes. */
function timeAxis(): Pick<uPlot.Axis, "values"> {
  const two = (n: number) => String(n).padStart(2, "0");
  return {
    values: (_, splits, __, ___, increment) =>
      splits.map((s) => {
        const at = new Date(s * 1000);
        if (increment >= 86_400 || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)) {
          return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
        }
        const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
        return increment < 60 ? `${clock}:${two(at.getSeconds())}` : clock;
      }),
  };
}
