'use strict';

/** The headers of a mail end at the latest here, as far as is looked without taking it apart. */
const MAX_HEADER_BYTES = 256 * 1024;

/**
 * The headers of a mail as they stand, unfolded, each once (the first of a name counts), by their names in lower case.
 *
 * @param {Buffer} bytes
 * @returns {Map<string, string>}
 */
function headersOf(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  const text = bytes.toString('latin1', 0, Math.min(end === -1 ? bytes.length : end, MAX_HEADER_BYTES));
  const headers = new Map();
  for (const line of text.replace(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

module.exports = { headersOf };
