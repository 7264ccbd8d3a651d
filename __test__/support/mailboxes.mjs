// Mailboxes as the mail programs of thirty years have written them.

/** Every form of the line between mails, by who writes it. */
export const SEPARATORS = {
  classic: 'From ann@x.example Mon Mar  2 10:13:23 2026',
  'without a sender or a date': 'From ',
  'the word alone': 'From',
  dash: 'From -',
  Thunderbird: 'From - Mon Mar  2 10:13:23 2026',
  'Thunderbird in French': 'From - lun. mars 2 10:13:23 2026',
  'ISO with T and Z': 'From ann@x.example 2026-03-02T10:13:20Z',
  'ISO with a space': 'From ann@x.example 2026-03-02 10:13:20',
  'two-digit year': 'From ann@x.example Mon Mar  2 10:13:23 26',
  'two-digit year of RFC 822': 'From ann@x.example 02 Mar 26 10:13',
  'RFC 5322 date': 'From ann@x.example Mon, 2 Mar 2026 10:13:20 +0100',
  'no date': 'From ann@x.example',
  'address in brackets': 'From <ann@x.example> Mon Mar  2 10:13:23 2026',
  'quoted sender': 'From "Ann Lee"@x.example Mon Mar  2 10:13:23 2026',
  pipermail: 'From ann at x.example  Mon Mar  2 10:13:23 2026',
  bounce: 'From MAILER-DAEMON Mon Mar 02 10:13:23 2026',
  'Google Takeout': 'From 1789012345678901234@xxx Mon Mar 02 10:13:23 +0000 2026',
  Eudora: 'From ???@??? Mon Mar 02 10:13:23 2026',
  UUCP: 'From ann Mon Mar  2 10:13 2026 remote from host',
  'a name': 'From Ann Lee',
  'no such day': 'From ann@x.example Mon Feb 30 10:13:23 2026',
  folded: 'From ann@x.example\n  Mon Mar  2 10:13:23 2026',
  'folded in the date': 'From ann@x.example Mon Mar  2\n\t10:13:23 2026',
  MMDF: '\u0001\u0001\u0001\u0001',
  'zone before the year': 'From ann@x.example Mon Mar  2 10:13:23 PST 2026',
};
export const LINE_ENDS = { LF: '\n', CRLF: '\r\n', 'CR CR LF': '\r\r\n', CR: '\r', 'LF CR': '\n\r' };
export const GAPS = {
  'a blank line': '\n',
  'no blank line': '',
  'a line with a space': ' \n',
  'two blank lines': '\n\n',
};
export const MARKS = { 'no mark': '', 'a byte order mark': '\ufeff' };

/** Bodies with lines that look like the beginning of a mail, and are none. */
export const BODIES = [
  'Hello there.\n\n>From here on quoted\n>>From twice\nFrom Monday on we are closed\n\nFrom the desk of Ann\nend',
  'short',
  'From what I can tell:\nnothing\nFrom 10:30 to 12:00 we meet',
  'plain\n\n  indented\n\n',
];

/**
 * A mail with a number; each tenth has no zone in its date, each eleventh none at all. `extra` are headers (lines with their
 * ends), and an empty mail has neither subject nor text.
 */
export function mail(number, separator, { gap = '\n', end = '\n', body, extra = '', isEmpty = false } = {}) {
  const zone = number % 10 === 0 ? '' : ' +0100';
  const date = number % 11 === 0 ? '' : `Date: Mon, 2 Mar 2026 10:13:20${zone}\n`;
  const subject = isEmpty ? '' : `Subject: number ${number}\n`;
  const headers = `From: Ann Lee <ann@x.example>\n${subject}Message-ID: <${number}@x.example>\n${extra}${date}`;
  const text = isEmpty ? '' : (body ?? BODIES[number % BODIES.length]);
  return `${separator}\n${headers}\n${text}\n${gap}`.replaceAll('\n', end);
}

/**
 * `count` mails, of every combination of separator, line end, what stands between them, and byte order marks.
 *
 * @param {number} count
 * @param {(number: number) => { extra?: string, isEmpty?: boolean }} more
 */
export function* everyMail(count, more = () => ({})) {
  for (let number = 1; number <= count; number += 1) {
    let rest = number;
    const next = (choices) => {
      const list = Object.values(choices);
      const item = list[rest % list.length];
      rest = Math.floor(rest / list.length);
      return item;
    };
    const separator = next(SEPARATORS);
    const options = { end: next(LINE_ENDS), gap: next(GAPS), ...more(number) };
    yield next(MARKS) + mail(number, separator, options);
  }
}
