// Durations as Prometheus writes them (1h30m), and as the API does (5400s).

const UNITS: [string, number][] = [
  ["w", 604_800],
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];

/** parseDuration is the seconds of a text such as 90s, 5m or 1h30m; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  const typed = text.trim().replace(/\s+/g, "");
  if (typed === "0") return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(typed)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of typed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    seconds += Number(amount) * (unit === "ms" ? 0.001 : (UNITS.find(([name]) => name === unit)?.[1] ?? 0));
  }
  return Math.round(seconds * 1000) / 1000;
}

/** writeDuration is the shortest such text: 1h30m. */
export function writeDuration(seconds: number): string {
  if (!(seconds > 0)) return "0s";
  let rest = Math.floor(seconds);
  let text = "";
  for (const [name, size] of UNITS) {
    const n = Math.floor(rest / size);
    // Weeks only where nothing is left: 8d reads better than 1w1d.
    if (n === 0 || (name === "w" && rest % size !== 0)) continue;
    text += `${n}${name}`;
    rest -= n * size;
  }
  const ms = Math.round((seconds - Math.floor(seconds)) * 1000);
  return ms > 0 ? `${text}${ms}ms` : text;
}

/** secondsOf is the seconds of the API's duration, 300s; undefined where it is not set. */
export function secondsOf(duration: string | null | undefined): number | undefined {
  if (!duration) return undefined;
  const seconds = Number(duration.replace(/s$/, ""));
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** shown is the API's duration as people write it, or empty where it is not set. */
export function shownDuration(duration: string | null | undefined): string {
  const seconds = secondsOf(duration);
  return seconds === undefined || seconds === 0 ? "" : writeDuration(seconds);
}

/** wireDuration is what was typed for the API; undefined for nothing, or for what is no duration. */
export function wireDuration(typed: string): string | undefined {
  const seconds = typed.trim() === "" ? undefined : parseDuration(typed);
  return seconds === undefined ? undefined : `${seconds}s`;
}
