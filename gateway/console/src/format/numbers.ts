// Numbers as people read them: short, with units, and always as wide as the last one.

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** compact shortens a number to three or four digits: 12.4 k. */
export function compact(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size < 1000) return trim(value, size < 10 && !Number.isInteger(value) ? 1 : 0);
  let step = Math.min(Math.floor(Math.log10(size) / 3), PREFIXES.length - 1);
  let scaled = value / 1000 ** step;
  if (Math.abs(scaled) >= 999.5 && step < PREFIXES.length - 1) {
    step++;
    scaled = value / 1000 ** step;
  }
  return `${trim(scaled, Math.abs(scaled) < 100 ? 1 : 0)} ${PREFIXES[step]}`;
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits);
}

/** rate is a number a second: 12.4 k/s. */
export function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "–";
  if (perSecond > 0 && perSecond < 0.1) return "<0.1/s";
  return `${compact(perSecond)}/s`;
}

/** whole is a whole number with separators: 1,203. */
export function whole(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** bytes is a size in binary units: 1.5 MiB. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size < 1024) return `${Math.round(value)} B`;
  let step = Math.min(Math.floor(Math.log2(size) / 10), BINARY.length - 1);
  let scaled = value / 1024 ** step;
  if (Math.abs(scaled) >= 1023.5 && step < BINARY.length - 1) {
    step++;
    scaled = value / 1024 ** step;
  }
  return `${scaled.toFixed(Math.abs(scaled) < 100 ? 1 : 0)} ${BINARY[step]}`;
}

/** percent is a share of one: 12.5 %. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const value = share * 100;
  return `${value.toFixed(Math.abs(value) < 10 && value !== 0 ? 1 : 0)} %`;
}
