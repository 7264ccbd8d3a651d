// Text whose character set is declared, declared wrongly, or not at all.
import { createRequire } from 'node:module';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const { decodeText } = require('../../../lib/port/charsets.cjs');
const { readMbox } = require('../../../lib/port/mbox.cjs');

const RUSSIAN = 'Привет, как дела? Мы встретимся завтра в офисе на Невском проспекте.';
const JAPANESE = 'こんにちは、会議は明日の午後です。東京で会いましょう。';
const CHINESE = '你好,明天下午我们在北京开会,请带上文件。';
const GERMAN = 'Grüße aus München, die Straße ist gesperrt. Schöne Ostern!';
const KOREAN = '안녕하세요, 회의는 내일 오후 서울에서 열립니다.';
const HEBREW = 'שלום, הפגישה מחר בבוקר בתל אביב.';

const TEXTS = [
  [RUSSIAN, ['windows-1251', 'koi8-r', 'iso-8859-5']],
  [JAPANESE, ['shift_jis', 'euc-jp']],
  [CHINESE, ['gbk']],
  ['你好，明天下午在北京。', ['big5']],
  [GERMAN, ['windows-1252', 'iso-8859-1']],
  ['Ça va très bien, merci. À bientôt à Besançon.', ['windows-1252']],
  ['He said “yes” – don’t worry…', ['windows-1252']],
  ['Zażółć gęślą jaźń. Spotkanie w Łodzi jest jutro o dziesiątej.', ['iso-8859-2', 'windows-1250']],
  ['Καλημέρα, η συνάντηση είναι αύριο στην Αθήνα.', ['iso-8859-7']],
  [HEBREW, ['windows-1255']],
  ['กรุณาส่งสัญญาก่อนวันอังคาร', ['windows-874']],
  ['เจอกันพรุ่งนี้ที่กรุงเทพ 10:30 น. ค่ะ', ['windows-874']],
  [KOREAN, ['euc-kr']],
];
const VAGUE = [undefined, 'us-ascii', 'utf-8', 'iso-8859-1', 'x-unknown', 'utf8mb4', 'no such thing'];
// What is declared as Latin-1 and reads as Latin-1 is Latin-1.
const believed = (charset) =>
  /-2$|1250/.test(charset) ? VAGUE.filter((name) => name !== 'iso-8859-1') : VAGUE;

async function mails(...sources) {
  const all = [];
  for await (const item of readMbox(sources, { userId: 'me' })) all.push(item);
  return all;
}

const mail = (headers, body) =>
  Buffer.concat([
    Buffer.from('From \n'),
    Buffer.from(headers),
    Buffer.from('\n\n'),
    Buffer.from(body),
    Buffer.from('\n\n'),
  ]);

describe('bytes', () => {
  for (const [text, charsets] of TEXTS)
    for (const charset of charsets)
      it.each([...believed(charset), charset])(
        `of ${charset}, declared as %s: ${text.slice(0, 10)}`,
        (declared) => {
          expect(decodeText(iconv.encode(text, charset), declared)).toMatchObject({ text, broken: 0 });
        },
      );

  it.each([
    ['cp-850', GERMAN, 'cp850'],
    ['IBM437', GERMAN, 'cp437'],
    ['UTF-7', GERMAN, 'utf-7'],
    ['ks_c_5601-1987', KOREAN, 'euc-kr'],
    ['gb2312', CHINESE, 'gbk'],
    ['iso-8859-8-i', HEBREW, 'iso-8859-8'],
    ['"Windows-1251"', RUSSIAN, 'windows-1251'],
    ['latin-9', 'Das kostet 5 €.', 'iso-8859-15'],
    ['macintosh', GERMAN, 'macintosh'],
    ['utf-16', GERMAN, 'utf-16le'],
  ])('declared by the name %s', (declared, text, charset) => {
    expect(decodeText(iconv.encode(text, charset), declared)).toMatchObject({ text, broken: 0 });
  });

  it.each([
    ['iso-2022-jp', '\u001b$B$3$s\u001b(B abc', 'こん abc'],
    [undefined, '\u001b$B$3$s\u001b(B abc', 'こん abc'],
    ['hz-gb-2312', '~{<:Ky2;~} x', '己所不 x'],
    ['iso-2022-kr', '\u001b$)C\u000e>H3g\u000f x', '안녕 x'],
  ])('of seven bits (%s)', (declared, bytes, text) => {
    expect(decodeText(Buffer.from(bytes, 'latin1'), declared).text).toBe(text);
  });

  it('of one character set in another lose nothing, and are counted', () => {
    const bytes = Buffer.concat([Buffer.from('Über Köln fährt '), Buffer.from([0xfc]), Buffer.from('ber')]);
    expect(decodeText(bytes, 'utf-8')).toEqual({ text: 'Über Köln fährt über', charset: 'utf-8', broken: 1 });
  });

  it.each([
    ['a picture', [0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa, 0, 0, 0, 0xd, 0x49, 0x48]],
    ['controls', [0, 1, 2, 3, 4, 0xff, 0xfe, 9, 8, 7, 6, 5]],
  ])('of %s are no text', (_, bytes) => {
    expect(decodeText(Buffer.from(bytes), 'utf-8')).toMatchObject({ text: '', broken: bytes.length });
  });
});

describe('bytes of one character set, declared as another', () => {
  const declared = [
    'gb2312',
    'big5',
    'shift_jis',
    'euc-kr',
    'koi8-r',
    'windows-1251',
    'utf-16',
    'windows-874',
  ];
  const texts = [RUSSIAN, JAPANESE, KOREAN, '請於下週二之前'];
  it.each(declared)('utf-8 as %s', (name) => {
    for (const text of texts) expect(decodeText(Buffer.from(text), name)).toMatchObject({ text, broken: 0 });
  });

  it.each([
    ['windows-1251', 'koi8-r', RUSSIAN],
    ['koi8-r', 'windows-1251', RUSSIAN],
    ['shift_jis', 'euc-jp', '来週の火曜日までに'],
    ['euc-jp', 'shift_jis', '来週の火曜日までに'],
    ['windows-1250', 'iso-8859-2', 'Zażółć gęślą jaźń'],
    ['windows-1252', 'iso-8859-15', '“quoted” – all of it'],
    ['windows-1252', 'gb2312', 'Grüße an alle'],
    ['windows-1253', 'iso-8859-7', '“Καλημέρα”'],
  ])('%s as %s', (charset, name, text) => {
    expect(decodeText(iconv.encode(text, charset), name)).toMatchObject({ text, broken: 0 });
  });

  it.each([
    ['koi8-r', 'ВНИМАНИЕ: СРОЧНО, iPHONE'],
    ['windows-1251', 'макОС'],
    ['gbk', '你好'],
    ['iso-8859-2', 'Zażółć gęślą jaźń'],
  ])('believed where nothing is wrong (%s)', (charset, text) => {
    expect(decodeText(iconv.encode(text, charset), charset)).toMatchObject({ text, broken: 0 });
  });
});

describe('a mail', () => {
  it.each(VAGUE)('with text declared as %s', async (declared) => {
    const type = declared ? `Content-Type: text/plain; charset="${declared}"\n` : '';
    const [{ entry, undecoded }] = await mails(mail(`${type}Subject: s`, iconv.encode(RUSSIAN, 'koi8-r')));
    expect(entry.content).toBe(`s\n\n${RUSSIAN}`);
    expect(undecoded).toBeUndefined();
  });

  it.each(['8bit', 'quoted-printable', 'base64'])('of HTML that names it itself, in %s', async (encoding) => {
    const bytes = iconv.encode(`<meta charset="windows-1251"><p>${RUSSIAN}</p>`, 'windows-1251');
    const body = encoding === 'base64' ? bytes.toString('base64') : bytes;
    const quoted =
      encoding === 'quoted-printable'
        ? Buffer.from(bytes.toString('latin1').replace(/=/g, '=3D'), 'latin1')
        : body;
    const headers = `Content-Type: text/html\nContent-Transfer-Encoding: ${encoding}\nSubject: s`;
    const [{ entry }] = await mails(mail(headers, quoted));
    expect(entry.content).toBe(`s\n\n${RUSSIAN}`);
  });

  it.each([
    ['raw bytes', (text) => iconv.encode(text, 'windows-1251')],
    [
      'words of no known set',
      (text) => `=?x-unknown?B?${iconv.encode(text, 'windows-1251').toString('base64')}?=`,
    ],
    ['UTF-8 by another name', (text) => `=?utf8mb4?B?${Buffer.from(text).toString('base64')}?=`],
    ['raw UTF-8', (text) => Buffer.from(text)],
    ['a language', (text) => `=?utf-8*ru?B?${Buffer.from(text).toString('base64')}?=`],
  ])('with a subject and a name in %s', async (_, encoded) => {
    const headers = Buffer.concat([
      Buffer.from('Subject: '),
      Buffer.from(encoded('Встреча завтра в офисе')),
      Buffer.from('\nFrom: '),
      Buffer.from(encoded('Иван Петров')),
      Buffer.from(' <ivan@x.example>'),
    ]);
    const [{ entry }] = await mails(mail(headers, 'text'));
    expect(entry.metadata).toMatchObject({
      subject: 'Встреча завтра в офисе',
      from: '"Иван Петров" <ivan@x.example>',
    });
  });

  it('with words cut within a character', async () => {
    const bytes = Buffer.from('Übergröße');
    const words = [bytes.subarray(0, 1), bytes.subarray(1, 8), bytes.subarray(8)].map(
      (piece) => `=?utf-8?B?${piece.toString('base64')}?=`,
    );
    const [{ entry }] = await mails(mail(`Subject: ${words.join('\n ')}`, 'text'));
    expect(entry.metadata.subject).toBe('Übergröße');
  });

  it('with a part that cannot be decoded keeps a note of it, and is counted', async () => {
    const bytes = Buffer.from([0, 1, 2, 3, 4, 0xff, 0xfe, 9, 8, 7, 6, 5]);
    const [{ entry, undecoded }] = await mails(
      mail('Content-Type: text/plain; charset=x-none\nSubject: s', bytes),
    );
    expect(entry.content).toBe('s');
    expect(undecoded).toBe(true);
    expect(entry.metadata.attachments).toEqual([
      {
        type: 'text/plain',
        bytes: bytes.length + 2,
        charset: 'x-none',
        undecoded: bytes.length + 2,
        base64: Buffer.concat([bytes, Buffer.from('\n\n')]).toString('base64'),
      },
    ]);
  });
});
