import { toNumber } from "../decimal";

/** The shape of a few values, as an ornament beside their number. */
export function Sparkline({ values, width = 96, height = 28 }: { values: readonly (string | null)[]; width?: number; height?: number }) {
  const numbers = values.map(toNumber);
  const top = Math.max(...numbers, 0);
  if (numbers.length < 2 || top === 0) return <span className="ts-sparkline" style={{ width, height }} aria-hidden="true" />;
  const step = width / (numbers.length - 1);
  const points = numbers.map((value, at) => `${(at * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`);
  return (
    <svg className="ts-sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polygon points={`0,${height} ${points.join(" ")} ${width},${height}`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}
