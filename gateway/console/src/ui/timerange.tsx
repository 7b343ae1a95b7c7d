import { useState } from "react";
import { absolute } from "@/format";
import { texts, useText } from "@/i18n";
import { QUICK, quickOf, REFRESH, resolve, type TimeRange, type TimeRangeState } from "@/time/range";
import { Button, Field, Input } from "./controls";
import { Dialog, Menu } from "./overlays";

const UNIT_EN: Record<string, string> = { m: "minutes", h: "hours", d: "days" };
const UNIT_ZH: Record<string, string> = { m: "分钟", h: "小时", d: "天" };

const text = texts(
  {
    range: "Time range",
    last: (n: string, unit: string) => `Last ${n} ${n === "1" ? (UNIT_EN[unit] ?? "").slice(0, -1) : UNIT_EN[unit]}`,
    custom: "Another range…",
    from: "From",
    to: "To",
    hint: "now, now-90m, or 2026-03-01 12:00",
    wrong: "This is no time",
    order: "The end lies before the beginning",
    apply: "Apply",
    cancel: "Cancel",
    refresh: "Refresh",
    off: "Off",
    every: (s: number) => (s < 60 ? `Every ${s} s` : `Every ${s / 60} min`),
  },
  {
    range: "时间范围",
    last: (n: string, unit: string) => `最近 ${n} ${UNIT_ZH[unit]}`,
    custom: "自定义…",
    from: "开始",
    to: "结束",
    hint: "now、now-90m 或 2026-03-01 12:00",
    wrong: "无法识别该时间",
    order: "结束时间早于开始时间",
    apply: "确定",
    cancel: "取消",
    refresh: "自动刷新",
    off: "关闭",
    every: (s: number) => (s < 60 ? `每 ${s} 秒` : `每 ${s / 60} 分钟`),
  },
);

/** TimeControls are the page's time range and how often it refreshes: for a page's `actions`. */
export function TimeControls({ time, refresh = true }: { time: TimeRangeState; refresh?: boolean }) {
  const t = useText(text);
  const [custom, setCustom] = useState(false);
  const quick = quickOf(time.range);
  const nameOf = (q: string) => t.last(q.slice(0, -1), q.slice(-1));
  const name = quick ? nameOf(quick) : `${short(time.range.from)} – ${short(time.range.to)}`;
  const seconds = time.refreshMs ? time.refreshMs / 1000 : 0;
  return (
    <>
      <Menu
        label={t.range}
        icon="clock"
        name={<span className="num">{name}</span>}
        items={[
          ...QUICK.map((q) => ({
            id: q,
            name: nameOf(q),
            checked: quick === q,
            onChoose: () => time.setRange({ from: `now-${q}`, to: "now" }),
          })),
          { id: "custom", name: t.custom, checked: quick === undefined, onChoose: () => setCustom(true) },
        ]}
      />
      {refresh && (
        <Menu
          label={t.refresh}
          icon="refresh"
          name={seconds ? <span className="num">{seconds < 60 ? `${seconds} s` : `${seconds / 60} min`}</span> : t.off}
          items={REFRESH.map((s) => ({
            id: String(s),
            name: s ? t.every(s) : t.off,
            checked: s === seconds,
            onChoose: () => time.setRefresh(s),
          }))}
        />
      )}
      {custom && (
        <CustomRange
          range={time.range}
          onClose={() => setCustom(false)}
          onRange={(range) => {
            setCustom(false);
            time.setRange(range);
          }}
        />
      )}
    </>
  );
}

/** short writes an absolute end as people do; a relative one stays. */
function short(end: string): string {
  if (end.startsWith("now")) return end;
  const at = resolve(end, new Date());
  return at ? absolute(at, false) : end;
}

/** kept is how an end goes into the URL: relative as typed, absolute with its zone. */
function kept(end: string): string {
  const typed = end.trim();
  if (typed.startsWith("now")) return typed;
  return resolve(typed, new Date())?.toISOString() ?? typed;
}

function CustomRange({
  range,
  onRange,
  onClose,
}: {
  range: TimeRange;
  onRange: (range: TimeRange) => void;
  onClose: () => void;
}) {
  const t = useText(text);
  const [from, setFrom] = useState(() => short(range.from));
  const [to, setTo] = useState(() => short(range.to));
  const now = new Date();
  const a = resolve(from.trim(), now);
  const b = resolve(to.trim(), now);
  const wrong = !a || !b ? t.wrong : a >= b ? t.order : undefined;
  const apply = () => !wrong && onRange({ from: kept(from), to: kept(to) });
  return (
    <Dialog
      title={t.range}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button look="primary" disabled={wrong !== undefined} onClick={apply}>
            {t.apply}
          </Button>
        </>
      }
    >
      <Field label={t.from} hint={t.hint}>
        <Input value={from} onChange={(e) => setFrom(e.target.value)} onKeyDown={(e) => e.key === "Enter" && apply()} />
      </Field>
      <Field label={t.to}>
        <Input value={to} onChange={(e) => setTo(e.target.value)} onKeyDown={(e) => e.key === "Enter" && apply()} />
      </Field>
      {wrong && <p className="bad">{wrong}</p>}
    </Dialog>
  );
}
