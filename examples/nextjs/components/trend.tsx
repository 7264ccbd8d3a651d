import styles from '@/components/trend.module.css';

const WIDTH = 300;
const HEIGHT = 56;

interface Props {
  name: string;
  unit: string;
  values: readonly number[];
  times: readonly number[];
  /** The least that the axis shows; higher values raise it. */
  top: number;
}

/** A number now, and its line over time. */
export function Trend({ name, unit, values, times, top }: Props) {
  const now = values.at(-1);
  return (
    <figure className={styles.trend}>
      <figcaption>
        <span>{name}</span>
        <output aria-label={name}>{now === undefined ? '–' : `${format(now)}${unit}`}</output>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={describe(name, unit, values, times)}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} className={styles.axis} />
        {values.length > 1 && <Curve points={pointsOf(values, times, top)} />}
      </svg>
    </figure>
  );
}

function Curve({ points }: { points: string }) {
  return (
    <>
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} className={styles.area} />
      <polyline points={points} className={styles.line} />
    </>
  );
}

/** The line fills the width: the first value is at the left, the last at the right. */
function pointsOf(values: readonly number[], times: readonly number[], top: number): string {
  const first = times[0] ?? 0;
  const span = Math.max(1, (times.at(-1) ?? 0) - first);
  const scale = (HEIGHT - 4) / Math.max(top, ...values);
  const point = (value: number, index: number) => {
    const x = (((times[index] ?? first) - first) / span) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - 2 - value * scale).toFixed(1)}`;
  };
  return values.map(point).join(' ');
}

function describe(name: string, unit: string, values: readonly number[], times: readonly number[]): string {
  if (values.length === 0) return `${name}: no value yet`;
  const seconds = Math.round(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000);
  const ends = [Math.min(...values), Math.max(...values)].map(format).join(' to ');
  return `${name} in the last ${seconds} seconds: ${ends}${unit}`;
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}
