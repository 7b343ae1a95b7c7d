import type { Language } from "@/i18n";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** duration is how long something takes or took: 340 ms, 4.2 s, 3 min, 2 h 5 min, 3 d 4 h. */
export function duration(ms: number, language: Language = "en"): string {
  if (!Number.isFinite(ms)) return "–";
  const u =
    language === "zh"
      ? { ms: "毫秒", s: "秒", m: "分", h: "小时", d: "天" }
      : { ms: "ms", s: "s", m: "min", h: "h", d: "d" };
  const size = Math.max(0, ms);
  if (size < SECOND) return `${Math.round(size)} ${u.ms}`;
  if (size < 10 * SECOND) return `${(size / SECOND).toFixed(1).replace(/\.0$/, "")} ${u.s}`;
  if (size < MINUTE) return `${Math.floor(size / SECOND)} ${u.s}`;
  if (size < HOUR) return pair(size, MINUTE, u.m, SECOND, u.s, size < 10 * MINUTE);
  if (size < DAY) return pair(size, HOUR, u.h, MINUTE, u.m, true);
  return pair(size, DAY, u.d, HOUR, u.h, size < 10 * DAY);
}

function pair(ms: number, big: number, bigName: string, small: number, smallName: string, both: boolean): string {
  const first = Math.floor(ms / big);
  const second = Math.floor((ms % big) / small);
  return both && second > 0 ? `${first} ${bigName} ${second} ${smallName}` : `${first} ${bigName}`;
}

/** ago is a time as it lies from now: 4 s ago. */
export function ago(at: Date, now: number, language: Language = "en"): string {
  const ms = now - at.getTime();
  if (Math.abs(ms) < SECOND) return language === "zh" ? "刚刚" : "just now";
  const text = duration(
    Math.abs(ms) < 10 * SECOND ? Math.floor(Math.abs(ms) / SECOND) * SECOND : Math.abs(ms),
    language,
  );
  if (ms < 0) return language === "zh" ? `${text}后` : `in ${text}`;
  return language === "zh" ? `${text}前` : `${text} ago`;
}

const two = (n: number) => String(n).padStart(2, "0");

/** absolute is a time in the browser's zone: 2026-03-01 12:04:05.120 */
export function absolute(at: Date, millis = true): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return millis ? `${day} ${clock}.${String(at.getMilliseconds()).padStart(3, "0")}` : `${day} ${clock}`;
}

/** clock is the time of day: 12:04:05.120 */
export function clock(at: Date, millis = true): string {
  return absolute(at, millis).slice(11);
}
