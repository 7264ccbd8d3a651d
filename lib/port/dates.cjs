'use strict';

/**
 * Dates of mails and files, read alike on every machine: a date without a zone is UTC, one that does not exist (30 February)
 * is none, and a text with numbers in it is none either. `Date` itself does all three otherwise.
 */

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const MIN_YEAR = 1900;
const MAX_YEAR = 9999;

const MONTH =
  '(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|january|february|march|april|august|september|october|november|december)';
const WEEKDAY = '(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\\.?,?\\s*)?';
const TIME = '(\\d{1,2})[:.](\\d{2})(?:[:.](\\d{2})(?:[.,]\\d+)?)?(?:\\s*([ap])\\.?m\\.?)?';
const NAMED_ZONE = '[a-z]{1,5}';
const OFFSET = '[+-]\\s?\\d{1,2}:?\\d{2}|[+-]\\d{1,2}';
const ZONE = `(?:\\s*((?:utc?|gmt|z)?\\s?(?:${OFFSET})|${NAMED_ZONE}))?`;

/** `Mon, 2 Mar 2026 10:13:20 +0100`, RFC 5322 with its obsolete forms; the time may be missing. */
const MAIL = new RegExp(
  `^${WEEKDAY}(\\d{1,2})(?:st|nd|rd|th)?[\\s-]+${MONTH}\\.?,?[\\s-]+(\\d{2,5})(?:,?\\s+(?:at\\s+)?${TIME}${ZONE})?$`,
  'i',
);
/** `Mon Mar  2 10:13:23 2026` of ctime, with a zone on either side of the year. */
const CTIME = new RegExp(
  `^${WEEKDAY}${MONTH}\\.?\\s+(\\d{1,2}),?\\s+${TIME}${ZONE}\\s+(\\d{2,5})${ZONE}$`,
  'i',
);
/** `March 2, 2026 10:13 AM`. */
const AMERICAN = new RegExp(
  `^${WEEKDAY}${MONTH}\\.?\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(\\d{4,5})(?:,?\\s+(?:at\\s+)?${TIME}${ZONE})?$`,
  'i',
);

const ISO =
  /^(\d{4})(?:-(\d{2})-(\d{2})|(\d{2})(\d{2})(?=T))(?:(?:T|\s+)(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** Of RFC 5322, then those that mean one thing wherever they are used. In hours; any other name is UTC, as it says. */
const ZONES = Object.fromEntries(
  [
    'edt -4 est -5 cdt -5 cst -6 mdt -6 mst -7 pdt -7 pst -8 akdt -8 akst -9 hst -10',
    'wet 0 west 1 cet 1 cest 2 met 1 mest 2 mez 1 mesz 2 eet 2 eest 3 msk 3 msd 4 bst 1',
    'jst 9 kst 9 hkt 8 awst 8 acst 9.5 acdt 10.5 aest 10 aedt 11 nzst 12 nzdt 13',
  ]
    .join(' ')
    .split(/ (?=[a-z])/)
    .map((zone) => zone.split(' '))
    .map(([name, hours]) => [name, Number(hours) * 60]),
);
const MAX_OFFSET = 14 * 60;

/**
 * A date as ISO 8601 writes it: with or without a time (midnight then), a zone (UTC then) and marks between the digits.
 *
 * @param {unknown} text
 * @returns {Date | undefined}
 */
function isoDate(text) {
  const found = typeof text === 'string' && ISO.exec(text.trim());
  if (!found) return undefined;
  const [, year, month = found[4], day = found[5], , , hour, minute, second, fraction, zone] = found;
  return dateOf({
    year: +year,
    month: +month,
    day: +day,
    hour,
    minute,
    second,
    fraction,
    offset: offsetOf(zone),
  });
}

/**
 * The date of a header. Years outside 1900–9999 are a clock's mistake.
 *
 * @param {string | undefined} text
 * @returns {Date | undefined}
 */
function mailDate(text) {
  const plain = withoutComments(text ?? '')
    .replace(/[\s"]+/g, ' ')
    .replace(/ ,/g, ',')
    .trim();
  return fromMail(plain) ?? fromCtime(plain) ?? fromAmerican(plain) ?? recent(isoDate(plain));
}

/**
 * The date of a line `From sender date`, wherever the sender ends.
 *
 * @param {string} from
 * @returns {Date | undefined}
 */
function postmarkDate(from) {
  const words = from
    .replace(/\s+remote from \S+\s*$/i, '')
    .trim()
    .split(/\s+/)
    .slice(1, MAX_POSTMARK_WORDS);
  for (let at = 0; at < words.length; at += 1) {
    const date = DATE_START.test(words[at]) && mailDate(words.slice(at).join(' '));
    if (date) return date;
  }
  return undefined;
}

const MAX_POSTMARK_WORDS = 24;
const DATE_START = new RegExp(`^(?:\\d|${MONTH}\\b|(?:mon|tue|wed|thu|fri|sat|sun))`, 'i');

function fromMail(text) {
  const found = MAIL.exec(text);
  if (!found) return undefined;
  const [, day, month, year, hour, minute, second, half, zone] = found;
  return named({ year, month, day, hour, minute, second, half, zone });
}

function fromCtime(text) {
  const found = CTIME.exec(text);
  if (!found) return undefined;
  const [, month, day, hour, minute, second, half, before, year, after] = found;
  return named({ year, month, day, hour, minute, second, half, zone: before ?? after });
}

function fromAmerican(text) {
  const found = AMERICAN.exec(text);
  if (!found) return undefined;
  const [, month, day, year, hour, minute, second, half, zone] = found;
  return named({ year, month, day, hour, minute, second, half, zone });
}

function named({ year, month, day, hour, half, zone, ...rest }) {
  const month_ = MONTHS.indexOf(month.slice(0, 3).toLowerCase()) + 1;
  const moment = {
    year: fullYear(year),
    month: month_,
    day: +day,
    hour: hourOf(hour, half),
    offset: offsetOf(zone),
    ...rest,
  };
  return recent(dateOf(moment));
}

/** RFC 5322: two digits are 1950–2049, three count from 1900. */
function fullYear(digits) {
  const year = Number(digits);
  if (digits.length === 2) return year + (year < 50 ? 2000 : 1900);
  return digits.length === 3 ? year + 1900 : year;
}

function hourOf(hour, half) {
  if (!half || hour === undefined) return hour;
  if (+hour < 1 || +hour > 12) return Number.NaN;
  return (+hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** Minutes east of UTC; not a number where no place is so far away. */
function offsetOf(zone = 'z') {
  const offset = /([+-])\s?(\d{1,2}):?(\d{2})?$/.exec(zone);
  if (!offset) return ZONES[zone.toLowerCase()] ?? 0;
  const [, sign, hours, minutes = '0'] = offset;
  const size = +hours * 60 + +minutes;
  if (size > MAX_OFFSET || +minutes > 59) return Number.NaN;
  return sign === '-' ? -size : size;
}

/**
 * None unless there is such a day and such a time on it; a leap second is the one before it.
 *
 * @param {Record<string, any>} moment
 */
function dateOf({ year, month, day, hour = 0, minute = 0, second = 0, fraction = '', offset }) {
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  const exists = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  if (!exists || !(+hour <= 23 && +minute <= 59 && +second <= 60)) return undefined;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const seconds = +hour * 3600 + (+minute - offset) * 60 + Math.min(+second, 59);
  const date = new Date(midnight.getTime() + seconds * 1000 + milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function recent(date) {
  const year = date?.getUTCFullYear();
  return year >= MIN_YEAR && year <= MAX_YEAR ? date : undefined;
}

/** Comments are in parentheses, which nest. */
function withoutComments(text) {
  let depth = 0;
  let plain = '';
  for (const character of text.slice(0, 500)) {
    if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) plain += character;
  }
  return plain;
}

module.exports = { isoDate, mailDate, postmarkDate };
