// The reference: plain Okapi BM25 (Robertson & Zaragoza, 2009) over single memories, written apart from the package,
// with Snowball English stems and the stop words of Snowball's English list.
import { createRequire } from 'node:module';

const stem = createRequire(import.meta.url)('wink-porter2-stemmer');

const K1 = 1.2;
const B = 0.75;
const STOP_WORDS = new Set(
  `i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
  its itself they them their theirs themselves what which who whom this that these those am is are was were be been
  being have has had having do does did doing a an the and but if or because as until while of at by for with about
  against between into through during before after above below to from up down in out on off over under again further
  then once here there when where why how all any both each few more most other some such no nor not only own same so
  than too very s t can will just don should now`.split(/\s+/),
);

export function terms(text) {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    .filter((word) => !STOP_WORDS.has(word))
    .map(stem);
}

/** Ranks the documents of one collection: `rank(query)` gives the indexes of those that share a term, best first. */
export function bm25(documents) {
  const counted = documents.map((text) => count(terms(text)));
  const lengths = counted.map((frequencies) => [...frequencies.values()].reduce((sum, n) => sum + n, 0));
  const mean = lengths.reduce((sum, length) => sum + length, 0) / documents.length;
  const holders = count(counted.flatMap((frequencies) => [...frequencies.keys()]));
  const idf = (term) => {
    const n = holders.get(term) ?? 0;
    return Math.log(1 + (documents.length - n + 0.5) / (n + 0.5));
  };
  const weight = (term, index) => {
    const frequency = counted[index].get(term) ?? 0;
    return (idf(term) * frequency * (K1 + 1)) / (frequency + K1 * (1 - B + (B * lengths[index]) / mean));
  };
  return (query) => {
    const asked = [...new Set(terms(query))];
    return documents
      .map((_, index) => ({ index, score: asked.reduce((sum, term) => sum + weight(term, index), 0) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .map(({ index }) => index);
  };
}

function count(items) {
  const counts = new Map();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
