// The text of HTML mails, and that hostile ones cost no more than others.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

const { htmlToText } = createRequire(import.meta.url)('../../lib/port/html-text.cjs');

describe('the text of an HTML mail', () => {
  it.each([
    ['paragraphs', '<p>One\n  two</p><p>three</p>', 'One two\n\nthree'],
    ['lines', 'a<br>b<br/>c<div>d</div>e', 'a\nb\nc\nd\ne'],
    ['lists', '<ul><li>one</li><li>two</li></ul>after', '* one\n* two\n\nafter'],
    ['tables', '<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>', 'a b\nc'],
    ['inline markup', 'a<b>b</b><i class=x>c</i> <a href="https://x.example">d</a>', 'abc d'],
    ['entities', '&lt;b&gt; &amp;amp; &eacute;&#233;&#x1F642; 1&nbsp;2', '<b> &amp; éé🙂 1 2'],
    ['what is hidden', '<head><title>t</title></head><style>p{}</style>a<SCRIPT>"</b>"</SCRIPT >b', 'ab'],
    ['comments', 'a<!-- <p>x</p> -->b<!doctype html><?xml?>c', 'abc'],
    ['a > in a value', '<a title="x > y">z</a>', 'z'],
    ['a value that is not closed', '<p title="x>one</p><p>two</p>', 'one\n\ntwo'],
    ['what is no tag', '1 < 2 <3 <', '1 < 2 <3 <'],
    ['a tag that never ends', 'a <p class', 'a'],
    ['an element that never ends', 'a<script>b', 'a'],
    ['nothing', '', ''],
  ])('%s', (_what, html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each([
    '<',
    '<a',
    'a',
    '<a ',
    '<a "',
    "<a '",
    '</script',
    '<script',
    '<!--',
    '<script></script',
    '&',
    '<p>',
    ' ',
    '<a b="',
  ])(
    'a megabyte of %j is read once',
    (part) => {
      expect(htmlToText(part.repeat(1_000_000 / part.length)).length).toBeLessThanOrEqual(1_000_000);
    },
    5000,
  );
});
