import { absolute, bytes, compact, duration, percent, rate } from "@/format";
import type { Language } from "@/i18n";

/** UNITS are Grafana's names of units that one can choose; others are written behind the number. */
export const UNITS = [
  "short",
  "none",
  "bytes",
  "Bps",
  "s",
  "ms",
  "percent",
  "percentunit",
  "ops",
  "reqps",
  "rowsps",
  "dateTimeAsIso",
] as const;

/** formatOf writes values of a unit. */
export function formatOf(unit: string, language: Language): (value: number) => string {
  switch (unit) {
    case "":
    case "short":
      return short;
    case "none":
      return (v) => (Number.isFinite(v) ? String(Math.round(v * 1000) / 1000) : "–");
    case "bytes":
    case "decbytes":
      return bytes;
    case "Bps":
    case "binBps":
      return (v) => `${bytes(v)}/s`;
    case "s":
      return (v) => signed(v * 1000, language);
    case "ms":
      return (v) => signed(v, language);
    case "percent":
      return (v) => share(v / 100);
    case "percentunit":
      return share;
    case "ops":
    case "reqps":
    case "rps":
    case "wps":
    case "rowsps":
    case "cps":
    case "eps":
    case "mps":
      return rate;
    case "dateTimeAsIso":
    case "dateTimeFromNow":
      return (v) => (v > 0 && Number.isFinite(v) ? absolute(new Date(v), false) : "–");
    default:
      return (v) => `${short(v)} ${unit}`;
  }
}

/** short has as many digits of a small number as tell it from its neighbours on an axis. */
function short(v: number): string {
  return v !== 0 && Math.abs(v) < 10 && Number.isFinite(v) ? String(Number(v.toPrecision(3))) : compact(v).trim();
}

function share(v: number): string {
  const value = v * 100;
  return value !== 0 && Math.abs(value) < 10 && Number.isFinite(value)
    ? `${Number(value.toPrecision(2))} %`
    : percent(v);
}

/** signed is a duration that may be negative: a lag of a clock that is ahead. */
function signed(ms: number, language: Language): string {
  return ms < 0 ? `−${duration(-ms, language)}` : duration(ms, language);
}

/** isTime tells units whose values are moments: a chart of them does not begin at 0. */
export function isTime(unit: string): boolean {
  return unit.startsWith("dateTime");
}
