import { useEffect, useState } from "react";
import { texts, useI18n, useText } from "@/i18n";
import { whole } from "./numbers";
import { absolute, ago, duration } from "./times";

export { bytes, compact, percent, rate, whole } from "./numbers";
export { absolute, ago, clock, duration } from "./times";

/** useNow is the time, renewed every so many milliseconds. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Ago shows a time as it lies from now, with the absolute one on hover. */
export function Ago({ at }: { at: Date | undefined }) {
  const { language } = useI18n();
  const now = useNow();
  if (!at) return <span className="quiet">–</span>;
  return (
    <time dateTime={at.toISOString()} title={absolute(at)} className="num">
      {ago(at, now, language)}
    </time>
  );
}

const text = texts(
  { behind: (age: string) => `${age} behind`, none: "0" },
  { behind: (age: string) => `落后 ${age}`, none: "0" },
);

/** Lag shows how far something is behind: 1,203 · 4 s behind. */
export function Lag({ records, millis }: { records: number | undefined; millis: number | undefined }) {
  const { language } = useI18n();
  const t = useText(text);
  if (records === undefined && millis === undefined) return <span className="quiet">–</span>;
  const late = (millis ?? 0) > 5000 && (records ?? 1) > 0;
  return (
    <span className={late ? "num late" : "num"}>
      {whole(records ?? 0)}
      {millis !== undefined && millis > 0 && (records ?? 1) > 0 && <> · {t.behind(duration(millis, language))}</>}
    </span>
  );
}
