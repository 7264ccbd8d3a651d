'use strict';

/** How deep a line is quoted, a space that protects its start, and the rest. */
const LINE = /^(>*) ?(.*)$/s;
const SIGNATURE = '-- ';

/**
 * Text of `format=flowed` (RFC 3676): a line that ends with a space goes on in the next one, unless that is quoted to another
 * depth, or empty.
 *
 * @param {string} text
 * @param {boolean} deletesSpace whether the space is of the line end (`delsp=yes`)
 */
function unflowed(text, deletesSpace) {
  const paragraphs = [];
  let pieces = [];
  let depth = -1;
  const finish = () => {
    if (depth >= 0) paragraphs.push((depth > 0 ? `${'>'.repeat(depth)} ` : '') + pieces.join(''));
    pieces = [];
    depth = -1;
  };
  for (const line of text.split(/\r?\n/)) {
    const [, quotes, content] = /** @type {RegExpExecArray} */ (LINE.exec(line));
    if (quotes.length !== depth || content === '') finish();
    depth = quotes.length;
    const flows = content.endsWith(' ') && content !== SIGNATURE;
    pieces.push(flows && deletesSpace ? content.slice(0, -1) : content);
    if (!flows) finish();
  }
  finish();
  return paragraphs.join('\n');
}

module.exports = { unflowed };
