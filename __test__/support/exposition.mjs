// Reads Prometheus' text format 0.0.4, and refuses what breaks its rules.

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const COMMENT = /^# (HELP|TYPE) (\S+) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const TYPES = ['counter', 'gauge', 'histogram'];
const PARTS = { histogram: ['_bucket', '_sum', '_count'], counter: [''], gauge: [''] };

/**
 * @typedef {{ name: string, type: string, help: string, samples: Map<string, number> }} Family
 * @param {string} text
 * @returns {Map<string, Family>} samples by their name and sorted labels, as `name{a="x",b="y"}`
 */
export function parseExposition(text) {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  /** @type {Map<string, Family>} */
  const families = new Map();
  /** @type {Family | undefined} */
  let family;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = line.match(COMMENT);
    if (comment?.[1] === 'HELP') family = opened(families, comment[2], comment[3]);
    else if (comment) typed(family, comment[2], comment[3]);
    else addSample(family, line);
  }
  for (const each of families.values()) checkFamily(each);
  return families;
}

function opened(families, name, help) {
  if (!NAME.test(name) || families.has(name)) throw new Error(`${name} is no name, or begins twice`);
  const family = { name, type: '', help, samples: new Map() };
  families.set(name, family);
  return family;
}

function typed(family, name, type) {
  if (family?.name !== name || family.type !== '' || !TYPES.includes(type))
    throw new Error(`TYPE of ${name}`);
  family.type = type;
}

function addSample(family, line) {
  const [, name, labels = '', value] = line.match(SAMPLE) ?? [];
  const parts = family ? PARTS[family.type].map((part) => family.name + part) : [];
  if (!parts.includes(name)) throw new Error(`a line that belongs nowhere: ${line}`);
  const key = `${name}{${sortedLabels(labels)}}`;
  if (family.samples.has(key)) throw new Error(`twice: ${key}`);
  family.samples.set(key, number(value));
}

function sortedLabels(labels) {
  const found = [];
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labels.length) {
    const match = LABEL.exec(labels);
    if (!match) throw new Error(`labels: ${labels}`);
    found.push(`${match[1]}="${match[2]}"`);
  }
  return found.sort().join(',');
}

function number(text) {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`no number: ${text}`);
  return value;
}

function checkFamily({ name, type, samples }) {
  if (type === '' || samples.size === 0) throw new Error(`${name} has no type or no samples`);
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`the counter ${name} is no _total`);
  for (const value of samples.values())
    if (type !== 'gauge' && !(value >= 0)) throw new Error(`${name} is negative`);
  if (type === 'histogram') checkHistogram(name, samples);
}

/** Buckets rise, and the last one counts all. */
function checkHistogram(name, samples) {
  const series = new Map();
  for (const [key, value] of samples) {
    const le = key.match(/le="([^"]+)"/)?.[1];
    if (!key.startsWith(`${name}_bucket`)) continue;
    if (!le) throw new Error(`a bucket of ${name} without a bound`);
    const rest = key
      .slice(name.length + '_bucket'.length)
      .replace(/le="[^"]+",?/, '')
      .replace(',}', '}');
    series.set(rest, [...(series.get(rest) ?? []), [number(le), value]]);
  }
  for (const [labels, buckets] of series) {
    const rising = buckets.every(
      ([le, count], n) => n === 0 || (le > buckets[n - 1][0] && count >= buckets[n - 1][1]),
    );
    const [last, all] = buckets.at(-1);
    const whole = last === Number.POSITIVE_INFINITY && all === samples.get(`${name}_count${labels}`);
    if (!rising || !whole || !samples.has(`${name}_sum${labels}`))
      throw new Error(`the histogram ${name}${labels}`);
  }
}

/** All samples, by name and labels. */
export function samplesOf(text) {
  return new Map([...parseExposition(text).values()].flatMap(({ samples }) => [...samples]));
}
