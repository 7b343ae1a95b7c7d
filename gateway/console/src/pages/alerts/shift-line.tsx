import { useQuery } from "@tanstack/react-query";
import { api } from "@/api/client";
import { date } from "@/api/numbers";
import { absolute, useNow } from "@/format";
import { useI18n, useText } from "@/i18n";
import { Failed, Notice } from "@/ui";
import { text } from "./oncall-text";
import { blocksOf, type Shift } from "./rota";

const DAY_MS = 86_400_000;

export function useShifts(rota: string, days: number) {
  const minute = Math.floor(useNow(60_000) / 60_000) * 60_000;
  const from = minute;
  const to = from + days * DAY_MS;
  const shifts = useQuery({
    queryKey: ["shifts", rota, days, from],
    queryFn: ({ signal }) =>
      api.get("/api/v1/rotas/{rota}/shifts", {
        path: { rota },
        query: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
        signal,
      }),
  });
  return { shifts, from, to };
}

/** ShiftLine draws who is on call from now on. */
export function ShiftLine({ rota, days, label }: { rota: string; days: number; label: string }) {
  const t = useText(text);
  const { locale } = useI18n();
  const { shifts, from, to } = useShifts(rota, days);
  if (shifts.error) return <Failed inline error={shifts.error} retry={() => shifts.refetch()} />;
  const ticks = midnights(from, to, days > 14 ? 7 : 1);
  const blocks = blocksOf(shifts.data?.shifts ?? [], from, to);
  return (
    <figure aria-label={label}>
      <div className={ticks.length > 8 ? "rota-days many" : "rota-days"} aria-hidden="true">
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - from) / (to - from)) * 100}%` }}>
            {new Date(at).toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "numeric" })}
          </span>
        ))}
      </div>
      <div className="rota-line" role="list">
        {blocks.map(({ shift, left, width }) => (
          <span
            key={`${shift.from} ${shift.person}`}
            role="listitem"
            className={!shift.person ? "shift nobody" : shift.override ? "shift override" : "shift"}
            title={shiftText(shift, t)}
            style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
          >
            {shift.person || <span className="hidden-label">{t.nobody}</span>}
          </span>
        ))}
      </div>
      {shifts.data?.truncated && <Notice tone="late">{t.truncated}</Notice>}
    </figure>
  );
}

export function shiftText(shift: Shift, t: typeof text.en): string {
  const from = date(shift.from);
  const to = date(shift.to);
  const why = shift.override ? t.override : shift.layer;
  return `${shift.person || t.nobody}${why ? ` (${why})` : ""}: ${from ? absolute(from, false) : ""} – ${to ? absolute(to, false) : ""}`;
}

/** midnights are the beginnings of days in a time, every so many. */
function midnights(from: number, to: number, every: number): number[] {
  const day = new Date(from);
  day.setHours(24, 0, 0, 0);
  const all: number[] = [];
  while (day.getTime() < to) {
    all.push(day.getTime());
    day.setDate(day.getDate() + every);
  }
  return all;
}
