import type { ScoreParts } from 'izzie-memory';
import styles from '@/components/score-bar.module.css';

const NAMES: Record<keyof ScoreParts, string> = {
  words: 'words',
  speaker: 'speaker',
  similarity: 'meaning',
  entities: 'entities',
  time: 'time',
  substance: 'substance',
  statement: 'statement',
  importance: 'importance',
  recency: 'recency',
};

interface Props {
  score: number;
  /** The highest score of the result: its bar is the longest. */
  best: number;
  parts: ScoreParts;
}

/** A score, and what it is the sum of. */
export function ScoreBar({ score, best, parts }: Props) {
  const present = (Object.keys(NAMES) as (keyof ScoreParts)[]).filter(
    (name) => Math.abs(parts[name]) >= 0.0005,
  );
  return (
    <div className={styles.score}>
      <div className={styles.bar} aria-hidden="true">
        {present.map((name) => (
          <span
            key={name}
            data-part={name}
            style={{ width: `${(Math.max(0, parts[name]) / best) * 100}%` }}
          />
        ))}
      </div>
      <dl className={styles.parts} aria-label={`Score ${score.toFixed(3)}`}>
        <div className={styles.total}>
          <dt>score</dt>
          <dd>{score.toFixed(3)}</dd>
        </div>
        {present.map((name) => (
          <div key={name} data-part={name}>
            <dt>{NAMES[name]}</dt>
            <dd>{parts[name].toFixed(3)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
