'use strict';

const chardet = require('chardet');
const iconv = require('iconv-lite');

/**
 * Text out of bytes whose character set is declared, declared wrongly or not at all. What is declared is believed unless
 * the bytes contradict it.
 */

/** Names that mean another, or nothing at all. */
const ALIASES = new Map(
  Object.entries({
    'ansi_x3.4-1968': '',
    ascii: '',
    binary: '',
    default: '',
    none: '',
    unknown: '',
    'unknown-8bit': '',
    'us-ascii': '',
    'user-defined': '',
    'x-unknown': '',
    'x-user-defined': '',
    '_iso-2022-jp$esc': 'iso-2022-jp',
    'iso-2022-jp-1': 'iso-2022-jp',
    'iso-2022-jp-2': 'iso-2022-jp',
    'iso-2022-jp-ms': 'iso-2022-jp',
    cp50220: 'iso-2022-jp',
    ansi: 'windows-1252',
    big5hkscs: 'big5',
    cp932: 'shift_jis',
    cp936: 'gbk',
    cp949: 'euc-kr',
    cp950: 'big5',
    'euc-cn': 'gbk',
    ks_c_5601: 'euc-kr',
    johab: 'euc-kr',
    'latin-1': 'windows-1252',
    'latin-9': 'iso-8859-15',
    latin9: 'iso-8859-15',
    'iso-8859-11': 'windows-874',
    'iso-8859-8-e': 'iso-8859-8',
    ms932: 'shift_jis',
    'x-gbk': 'gbk',
    'x-sjis': 'shift_jis',
    unicode: 'utf-16le',
    'unicode-1-1-utf-7': 'utf-7',
    'unicode-1-1-utf-8': 'utf-8',
    'x-unicode-2-0-utf-7': 'utf-7',
    utf7: 'utf-7',
    utf16: 'utf-16le',
    utf32: 'utf-32',
    utf8mb3: 'utf-8',
    utf8mb4: 'utf-8',
    'utf-8mb4': 'utf-8',
  }),
);
/** Read by hand: two bytes of seven bits each between signs. */
const [SHIFT_OUT, SHIFT_IN, ESCAPE] = ['\u000e', '\u000f', '\u001b'];
const SHIFTED = {
  'iso-2022-kr': {
    name: 'euc-kr',
    pairs: new RegExp(`${SHIFT_OUT}([^${SHIFT_IN}]*)${SHIFT_IN}?`, 'g'),
    rest: new RegExp(`${ESCAPE}\\$\\)C`, 'g'),
  },
  'hz-gb-2312': { name: 'gbk', pairs: /~\{((?:[^~]|~(?!\}))*)(?:~\}|$)/g, rest: /~\n/g },
};
const WESTERN = new Set(['windows-1252', 'iso-8859-15']);
const MULTIBYTE = new Set(['big5', 'euc-jp', 'euc-kr', 'gb18030', 'gbk', 'shift_jis']);
/** What a text is in that is not in the character set of its language that it says. */
const RELATIVES = new Map(
  Object.entries({ shift_jis: 'euc-jp', 'euc-jp': 'shift_jis', gbk: 'big5', gb18030: 'big5', big5: 'gbk' }),
);
/** What programs of Windows mean by a name of ISO, for ISO has no letters in the range of C1. */
const OF_WINDOWS = new Map(
  Object.entries({
    'iso-8859-2': 'windows-1250',
    'iso-8859-4': 'windows-1257',
    'iso-8859-5': 'windows-1251',
    'iso-8859-6': 'windows-1256',
    'iso-8859-7': 'windows-1253',
    'iso-8859-8': 'windows-1255',
    'iso-8859-8-i': 'windows-1255',
    'iso-8859-10': 'windows-1257',
    'iso-8859-13': 'windows-1257',
    'iso-8859-15': 'windows-1252',
  }),
);
const C1 = /[\x80-\x9f]/;
const CYRILLIC = new Set(['windows-1251', 'koi8-r', 'koi8-u']);
/** Characters of their own that users of East Asian character sets may define. */
const PRIVATE = /[\ue000-\uf8ff]/;
/** Also of languages with Latin letters. */
const LATIN = new Set(['iso-8859-2', 'windows-1250', 'windows-1254']);
const MIN_CONFIDENCE = 10;
/** Fewer could be anything. */
const MIN_HIGH_BYTES = 4;
/** Reading more tells nothing new. */
const SAMPLE_BYTES = 64 * 1024;

/** Letters of windows-1252, and what stands beside words in it; other bytes are rare in Western text. */
const LETTER = /[\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff]/g;
const PUNCTUATION = /[\x80\x85\x91-\x97\x99\xa0\xa1\xa3\xa7\xa9\xab\xae\xb0\xb4\xb7\xbb\xbf]/g;
const THAI =
  /^(?:[\x80\x85\x91-\x97\xa0\xcf\xdf\xe6\xef-\xfb]|[\xe0-\xe4]?[\xa1-\xce][\xd1\xd4-\xda\xe7-\xee]{0,3}[\xd0\xd2\xd3\xe5]{0,2})+$/;
const WORD = /[A-Za-z\x80-\xff]{3,}/g;

/**
 * @typedef {{ text: string, charset: string, broken: number }} Decoded `broken`: bytes that are no text in it; all of them
 *   when there is no text
 */

/**
 * @param {Buffer} bytes
 * @param {string} [declared]
 * @param {string} [hint] the character set of what stands beside it, believed where nothing is declared
 * @returns {Decoded}
 */
function decodeText(bytes, declared, hint) {
  const label = meant(bytes, labelOf(declared) ?? labelOf(hint));
  for (const charset of candidates(bytes, label)) {
    const text = strictly(bytes, charset);
    if (text !== undefined) return judged({ text, charset, broken: 0 }, bytes);
  }
  return judged(mostlyUtf8(bytes) ? piecemeal(bytes) : western(bytes, label), bytes);
}

/** The name under which it can be read; undefined where it cannot be, or says nothing. */
function labelOf(declared) {
  const given = String(declared ?? '')
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$|\*.*$/g, '');
  const plain = given.replace(/^(?:cp|ibm|windows|win)[-_ ]?(\d{3,4})$/, (_, page) => codePage(page));
  const name = ALIASES.get(plain) ?? plain;
  if (name === '' || name in SHIFTED) return name || undefined;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return iconv.encodingExists(name) ? name : undefined;
  }
}

const codePage = (page) => (/^(?:125\d|874)$/.test(page) ? `windows-${page}` : `cp${page}`);

/** @returns {string | undefined} what somebody meant by a name */
function meant(bytes, label) {
  const latin1 = () => bytes.toString('latin1', 0, SAMPLE_BYTES);
  if (label && OF_WINDOWS.has(label) && C1.test(latin1())) return OF_WINDOWS.get(label);
  if (label && CYRILLIC.has(label) && isCaseInverted(bytes, label))
    return ['windows-1251', 'koi8-r'].find((other) => !isCaseInverted(bytes, other)) ?? label;
  return label;
}

/** Read as one for the other, KOI8-R and windows-1251 give words that begin with the only small letter. */
function isCaseInverted(bytes, charset) {
  const text = strictly(bytes.subarray(0, SAMPLE_BYTES), charset) ?? '';
  return /[а-яё][А-ЯЁ]{2}/.test(text) && !/[а-яё]{2}/.test(text);
}

/** In the order in which they are tried; the first that fits is taken. */
function* candidates(bytes, label) {
  const marked = byMark(bytes) ?? byEscapes(bytes, label) ?? byZeros(bytes);
  if (marked) yield marked;
  if (isAscii(bytes) && !(label && /^(?:utf-7|utf-16|utf-32|iso-2022|hz)/.test(label))) return yield 'utf-8';
  // Of other character sets so long sequences are no accident.
  if (isSurelyUtf8(bytes)) yield 'utf-8';
  if (label === 'utf-7' || (label && MULTIBYTE.has(label))) yield label;
  const isVague = label === undefined || label === 'utf-8' || WESTERN.has(label);
  if (isVague || sequences(bytes).good >= 3) yield 'utf-8';
  if (!isVague) yield label;
  if (label && RELATIVES.has(label)) yield RELATIVES.get(label);
  if (mostlyUtf8(bytes)) return;
  yield* detected(bytes, label);
}

/** What the bytes look like, where they do not look Western. */
function* detected(bytes, label) {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const high = sample.toString('latin1').match(/[\x80-\xff]/g)?.length ?? 0;
  const foreign = !looksWestern(sample, high);
  if (high < MIN_HIGH_BYTES || (!foreign && label !== undefined && label !== 'utf-8')) return;
  if (looksThai(sample)) yield 'windows-874';
  const found = chardet.analyse(sample).filter(({ confidence }) => confidence >= MIN_CONFIDENCE);
  for (const { name } of foreign ? found : found.slice(0, 1)) {
    const charset = labelOf(name);
    if (charset && (foreign ? isForeign(charset) : LATIN.has(charset))) yield charset;
  }
}

/**
 * chardet does not know it. Its vowels and tones stand behind consonants or before them, which other bytes do by chance only.
 */
function looksThai(bytes) {
  const high = [...(bytes.toString('latin1').match(/[\x80-\xff]+/g) ?? [])];
  const marks = high.join('').match(/[\xd1\xd4-\xda\xe7-\xee]/g)?.length ?? 0;
  return marks >= MIN_HIGH_BYTES && high.every((word) => THAI.test(word));
}

const isForeign = (charset) => !WESTERN.has(charset) && !charset.startsWith('utf-');

/** Words of Western languages have few letters beyond ASCII, and no odd signs among them. */
function looksWestern(bytes, high) {
  const text = bytes.toString('latin1');
  const usual = (text.match(LETTER)?.length ?? 0) + (text.match(PUNCTUATION)?.length ?? 0);
  if (high - usual > high / 5) return false;
  let foreign = 0;
  let accented = 0;
  for (const [word] of text.matchAll(WORD)) {
    const letters = word.match(/[\x80-\xff]/g)?.length ?? 0;
    if (letters > word.length * 0.7) foreign += 1;
    else if (letters > 0) accented += 1;
  }
  return foreign <= accented;
}

function byMark(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

function byEscapes(bytes, label) {
  if (label === undefined || label === 'utf-8' || WESTERN.has(label) || label === 'iso-2022-jp') {
    const at = bytes.indexOf(`${ESCAPE}$`);
    const kind = at === -1 ? '' : String.fromCharCode(bytes[at + 2]);
    if (kind === 'B' || kind === '@') return 'iso-2022-jp';
    if (kind === ')') return 'iso-2022-kr';
  }
  return label === 'iso-2022-jp' || (label !== undefined && label in SHIFTED) ? label : undefined;
}

/** Every second byte of ASCII as UTF-16 is zero. */
function byZeros(bytes) {
  const sample = bytes.subarray(0, 1024);
  const zeros = [0, 0];
  for (let at = 0; at < sample.length; at += 1) if (sample[at] === 0) zeros[at % 2] += 1;
  const [even, odd] = zeros;
  if (odd > sample.length / 4 && even < odd / 4) return 'utf-16le';
  if (even > sample.length / 4 && odd < even / 4) return 'utf-16be';
  return undefined;
}

/** @returns {string | undefined} the text, unless there are bytes that stand for none */
function strictly(bytes, charset) {
  if (charset in SHIFTED) return shifted(bytes, SHIFTED[charset]);
  // Node takes this one for ISO-8859-1, whose quotes are control characters.
  if (charset === 'windows-1252') return undefined;
  try {
    const text = new TextDecoder(charset, { fatal: true }).decode(bytes);
    return MULTIBYTE.has(charset) && PRIVATE.test(text) ? undefined : text;
  } catch (error) {
    if (!(error instanceof RangeError) || !iconv.encodingExists(charset)) return undefined;
    const text = iconv.decode(bytes, charset);
    return text.includes('\ufffd') ? undefined : text;
  }
}

function shifted(bytes, { name, pairs, rest }) {
  const text = bytes.toString('latin1').replace(rest, '');
  const high = text.replace(pairs, (_, seven) =>
    seven.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) | 0x80)),
  );
  return strictly(Buffer.from(high, 'latin1'), name);
}

/** What every program takes for Latin-1; the five bytes that stand for nothing are left out. */
function western(bytes, label = '') {
  const charset = WESTERN.has(label) ? label : 'windows-1252';
  const decoded = iconv.decode(bytes, charset);
  const text = decoded.replaceAll('\ufffd', '');
  return { text, charset, broken: decoded.length - text.length };
}

/** UTF-8 with bytes of something else among it, as quotes and cut mails have them: these are read as windows-1252. */
function piecemeal(bytes) {
  const pieces = [];
  let broken = 0;
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    pieces.push(bytes.toString('utf8', from, at), western(bytes.subarray(at, at + 1)).text);
    broken += 1;
    at += 1;
    from = at;
  }
  pieces.push(bytes.toString('utf8', from));
  return { text: pieces.join(''), charset: 'utf-8', broken };
}

/** How long the character at `at` is in UTF-8; 0 where there is none. */
function sequenceLength(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first <= 0xdf
      ? 2
      : first >= 0xe0 && first <= 0xef
        ? 3
        : first >= 0xf0 && first <= 0xf4
          ? 4
          : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let next = 1; next < length; next += 1) if ((bytes[at + next] & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1];
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high ? length : 0;
}

/** Damaged rather than something else. */
function mostlyUtf8(bytes) {
  const { good, bad } = sequences(bytes);
  return good > 0 && bad > 0 && good >= 2 * bad;
}

function isSurelyUtf8(bytes) {
  const { good, long, bad } = sequences(bytes);
  return bad === 0 && (long >= 3 || good >= 6);
}

function sequences(bytes) {
  let good = 0;
  let long = 0;
  let bad = 0;
  const end = Math.min(bytes.length, SAMPLE_BYTES);
  for (let at = 0; at < end; ) {
    const length = sequenceLength(bytes, at);
    if (length > 1) good += 1;
    else if (length === 0) bad += 1;
    if (length > 2) long += 1;
    at += length || 1;
  }
  return { good, long, bad };
}

function isAscii(bytes) {
  for (const byte of bytes) if (byte >= 0x80) return false;
  return true;
}

/** What has the signs of a program and not of a text is none. */
function judged(decoded, bytes) {
  const controls = decoded.text.slice(0, SAMPLE_BYTES).match(/(?![\s\x80-\x9f])\p{Cc}/gu)?.length ?? 0;
  const length = Math.min(decoded.text.length, SAMPLE_BYTES);
  if (controls > length / 10) return { ...decoded, text: '', broken: bytes.length };
  return { ...decoded, text: decoded.text.replaceAll('\0', '').replaceAll('\ufeff', '') };
}

module.exports = { decodeText };
