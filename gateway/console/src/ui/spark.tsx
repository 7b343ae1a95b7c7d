import { memo } from "react";

/** Sparkline draws the last values of a rate as a small line; it is decoration beside the number. */
export const Sparkline = memo(function Sparkline({
  values,
  width = 64,
  height = 18,
}: {
  values: readonly number[];
  width?: number;
  height?: number;
}) {
  if (values.length < 2) return <svg className="spark" width={width} height={height} aria-hidden="true" />;
  // A young line starts at the right, and grows.
  const slots = Math.max(values.length, 20);
  const top = Math.max(...values, 1e-9);
  const step = width / Math.max(1, slots - 1);
  const left = width - (values.length - 1) * step;
  const points = values.map(
    (v, i) => `${(left + i * step).toFixed(1)},${(height - 1 - (v / top) * (height - 2)).toFixed(1)}`,
  );
  const line = `M${points.join("L")}`;
  return (
    <svg className="spark" width={width} height={height} aria-hidden="true">
      <path className="area" d={`${line}L${width},${height}L${left.toFixed(1)},${height}Z`} />
      <path className="line" d={line} />
    </svg>
  );
});
