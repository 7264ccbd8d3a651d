import styles from '@/components/trend.module.css';

const WIDTH = 300;
const HEIGHT = 56;

interface Props {
  name: string;
  unit: string;
  /** null: not known at that time. */
  values: readonly (number | null)[];
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
        <output aria-label={name}>{textOf(now, unit)}</output>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={describe(name, unit, values, times)}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} className={styles.axis} />
        {stretchesOf(values, times, top).map((points) => (
          <Curve key={points[0]} points={points} />
        ))}
      </svg>
    </figure>
  );
}

/** A number, or what to show in its place: before the first answer, and while nobody knows it. */
function textOf(value: number | null | undefined, unit: string): string {
  if (value === undefined) return '–';
  return value === null ? 'unknown' : `${format(value)}${unit}`;
}

/** One stretch without a gap. */
function Curve({ points }: { points: readonly string[] }) {
  const xOf = (point: string | undefined) => point?.split(',')[0] ?? '0';
  const [start, end] = [xOf(points[0]), xOf(points.at(-1))];
  return (
    <>
      <polygon points={`${start},${HEIGHT} ${points.join(' ')} ${end},${HEIGHT}`} className={styles.area} />
      <polyline points={points.join(' ')} className={styles.line} />
    </>
  );
}

/** The lines fill the width: the first value is at the left, the last at the right. What is not known is a gap. */
function stretchesOf(values: Props['values'], times: readonly number[], top: number): string[][] {
  const first = times[0] ?? 0;
  const span = Math.max(1, (times.at(-1) ?? 0) - first);
  const scale = (HEIGHT - 4) / Math.max(top, ...knownOf(values));
  const stretches: string[][] = [[]];
  for (const [index, value] of values.entries()) {
    if (value === null) {
      stretches.push([]);
      continue;
    }
    const x = (((times[index] ?? first) - first) / span) * WIDTH;
    stretches.at(-1)?.push(`${x.toFixed(1)},${(HEIGHT - 2 - value * scale).toFixed(1)}`);
  }
  return stretches.filter((points) => points.length > 1);
}

function knownOf(values: Props['values']): number[] {
  return values.filter((value) => value !== null);
}

function describe(name: string, unit: string, values: Props['values'], times: readonly number[]): string {
  const known = knownOf(values);
  if (known.length === 0) return `${name}: no value yet`;
  const seconds = Math.round(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000);
  const ends = [Math.min(...known), Math.max(...known)].map(format).join(' to ');
  return `${name} in the last ${seconds} seconds: ${ends}${unit}`;
}

function format(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
}
