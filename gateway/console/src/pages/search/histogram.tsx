import { useMemo } from "react";
import { compact, whole } from "@/format";
import { useI18n, useText } from "@/i18n";
import type { Interval } from "@/search/interval";
import type { Answer } from "@/search/store";
import { IconButton, TimeChart } from "@/ui";
import type { Span } from "./request";
import { text } from "./text";

const UNITS_ZH: Record<string, string> = {
  ms: "毫秒",
  s: "秒",
  m: "分钟",
  h: "小时",
  d: "天",
  w: "周",
  M: "个月",
  q: "个季度",
  y: "年",
};
const UNITS_EN: Record<string, string> = {
  ms: "ms",
  s: "s",
  m: "min",
  h: "h",
  d: "day",
  w: "week",
  M: "month",
  q: "quarter",
  y: "year",
};

export interface Counted {
  answer: Answer;
  span: Span;
  interval: Interval | undefined;
}

/** Histogram says how many documents there are, and draws them over time; a drag zooms in. */
export function Histogram({
  counted,
  open,
  onOpen,
  onZoom,
}: {
  counted: Counted | undefined;
  open: boolean;
  onOpen: (open: boolean) => void;
  onZoom: (from: Date, to: Date) => void;
}) {
  const t = useText(text);
  const { language } = useI18n();
  const buckets = counted?.answer.aggregations?.time?.buckets;
  const chart = useMemo(
    () => ({
      times: (buckets ?? []).map((bucket) => Number(bucket.key)),
      series: [{ name: t.documents, values: (buckets ?? []).map((bucket) => bucket.doc_count), color: "--accent" }],
    }),
    [buckets, t],
  );
  const total = counted?.answer.hits?.total;
  const interval = counted?.interval && /^(\d+)(\w+)$/.exec(counted.interval.text);
  const units = language === "zh" ? UNITS_ZH : UNITS_EN;
  return (
    <section className="search-histogram">
      <div className="row small">
        <span className="num strong search-total">
          {total ? (total.relation === "gte" ? t.foundAtLeast : t.found)(whole(total.value)) : "…"}
        </span>
        {interval && open && <span className="quiet">{t.perBucket(`${interval[1]} ${units[interval[2] ?? ""]}`)}</span>}
        <span className="grow" />
        {interval && (
          <IconButton
            small
            icon={open ? "up" : "down"}
            label={open ? t.hideChart : t.showChart}
            aria-expanded={open}
            onClick={() => onOpen(!open)}
          />
        )}
      </div>
      {open && interval && counted && (
        <TimeChart
          label={t.chart}
          type="bar"
          height={112}
          legend={false}
          times={chart.times}
          series={chart.series}
          range={counted.span}
          format={compact}
          onZoom={onZoom}
        />
      )}
    </section>
  );
}
