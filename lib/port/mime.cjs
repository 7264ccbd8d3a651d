'use strict';

const { decodeText } = require('./charsets.cjs');
const { htmlToText } = require('./html-text.cjs');
const { addressPieces } = require('./address-text.cjs');
const { unflowed } = require('./flowed-text.cjs');
const { charsetOfHeaders, decodedWords, escapedBytes, headerText, utf8Words } = require('./header-text.cjs');
const { isReadable } = require('./text-lines.cjs');

/** More parts are no mail, but a way to fill the memory. */
const MAX_PARTS = 20_000;
/** Read as they stand. */
const PLAIN = /^(?:text\/(?:plain|markdown|x-markdown|enriched|richtext)|text|plain|)$/;
const MAIL = /^message\/(?:rfc822|global)$/;
const EXCERPT_BYTES = 512;
const NOTHING = new Uint8Array();
const LINE_FEED = Buffer.from('\n');
/** A line of base64, possibly empty. */
const BASE64_LINE = /^\s*[A-Za-z0-9+/]*={0,2}\s*$/;
const ADDRESSES = new Set(['from', 'to', 'cc', 'bcc', 'sender', 'reply-to']);
const MAX_HEADER_BYTES = 64 * 1024;
const SUBJECT = /^subject:[ \t]*(.*(?:\r?\n[ \t].*)*)/im;

/**
 * What is no text of a mail, told in its metadata. `undecoded`: bytes of a text that could not be read; `base64` is how they
 * begin.
 * @typedef {{ name?: string, type: string, bytes: number, charset?: string, undecoded?: number, base64?: string }} Note
 * `raw`: the header as it stands, for what is no list of addresses.
 * @typedef {{ list: import('postal-mime').Address[], raw: string }} People
 * @typedef {{ mail: import('postal-mime').Email, people: Record<'from' | 'to' | 'cc', People>, text: string, notes: Note[] }} Parsed
 */

/** @type {Promise<any> | undefined} */
let loading;

/**
 * @param {Buffer} bytes
 * @returns {Promise<Parsed>}
 */
async function parseMime(bytes) {
  loading ??= import('postal-mime').then(({ default: PostalMime, addressParser }) =>
    parserOf(PostalMime, addressParser),
  );
  const Parser = await loading;
  return new Parser().read(bytes);
}

/**
 * postal-mime takes a mail apart. It decodes what is declared and nothing else; what is overridden here gives it UTF-8 to
 * decode, and puts the text together. The version is pinned, for these are its inner seams.
 */
function parserOf(PostalMime, addressParser) {
  return class Parser extends PostalMime {
    /** @type {Note[]} */
    notes = [];
    text = '';
    #parts = 0;
    #latest;
    /** What stands in base64 and is none, by its node: the text of programs that only say so, the footers of mailing lists. */
    /** @type {Map<any, Uint8Array[]>} */
    #outside = new Map();

    /** @returns {Promise<Parsed>} */
    async read(bytes) {
      const mail = await this.parse(bytes);
      const people = { from: this.#people('from'), to: this.#people('to'), cc: this.#people('cc') };
      return { mail, people, text: this.text, notes: this.notes };
    }

    /** All of them: the parser knows one author only. @param {string} key @returns {People} */
    #people(key) {
      const values = this.root.headers.filter((header) => header.key === key).map(({ value }) => value);
      return {
        list: values.flatMap((value) => addressParser(value)),
        raw: decodedWords(values.join(', ')).trim(),
      };
    }

    /** Bytes beyond ASCII come through the parser unharmed: it takes headers and quoted-printable for UTF-8. */
    async processLine(line, isFinal) {
      const { state, contentDecoder } = this.currentNode;
      if (state !== 'header' && this.#isOutside(line)) line = NOTHING;
      const asUtf8 = state === 'header' ? escapedBytes : contentDecoder?.decoder ? quotedBytes : undefined;
      await super.processLine(asUtf8 ? asUtf8(line) : line, isFinal);
      if (this.currentNode !== this.#latest) this.#enter(this.currentNode);
    }

    /** Takes a line that its part cannot decode. */
    #isOutside(line) {
      if (!/base64/i.test(this.currentNode.contentTransferEncoding.encoding ?? '')) return false;
      const lines = this.#outside.get(this.currentNode);
      if (!lines && BASE64_LINE.test(Buffer.from(line).toString('latin1'))) return false;
      if (this.boundaries.some(({ value }) => startsWith(line, value))) return false;
      if (lines) lines.push(line);
      else this.#outside.set(this.currentNode, [line]);
      return true;
    }

    #enter(node) {
      this.#latest = node;
      this.#parts += 1;
      if (this.#parts > MAX_PARTS) throw new Error(`more than ${MAX_PARTS} parts`);
      if (node.parentNode) finalizesEachOnce(node.parentNode);
    }

    async processNodeTree() {
      const hint = charsetIn(this.root);
      const ofHeaders = charsetOfHeaders(
        this.root.headers.map(({ value }) => value),
        hint,
      );
      this.root.headers = this.root.headers.flatMap(({ value, ...header }) => {
        const text = utf8Words(headerText(value, ofHeaders));
        const values = ADDRESSES.has(header.key) ? addressPieces(text) : [text];
        return values.map((piece) => ({ ...header, value: piece }));
      });
      this.text = this.#textOf(this.root, { hint });
      this.textContent = {};
    }

    /** @returns {string} */
    #textOf(node, context) {
      const { multipart } = node.contentType;
      if (multipart && node.childNodes.length > 0) return this.#textOfParts(node, context);
      const type = typeOf(node);
      const isAttached = node.contentDisposition?.parsed?.value === 'attachment';
      if (!node.content) return '';
      // Parts that nothing separates are text.
      if (!isAttached && (multipart || PLAIN.test(type))) return this.#plain(node, context);
      if (!isAttached && type === 'text/html')
        return htmlToText(this.#decode(node, context, metaCharset(node.content)));
      // A mail in the mail, too: its text is another's, or was said before.
      this.notes.push(noteOf(node, context));
      return '';
    }

    #textOfParts(node, context) {
      const texts = node.childNodes.map((child) => this.#textOf(child, context));
      const readable = texts.filter((text) => isReadable(text));
      const pieces = node.contentType.multipart === 'alternative' ? readable.slice(0, 1) : readable;
      return pieces.map((text) => text.replace(/^\n+|\s+$/g, '')).join('\n\n');
    }

    #plain(node, context) {
      const text = this.#decode(node, context);
      const { format, delsp } = node.contentType.parsed?.params ?? {};
      return /^flowed$/i.test(format ?? '') ? unflowed(text, /^yes$/i.test(delsp ?? '')) : text;
    }

    #decode(node, { hint }, inside) {
      const bytes = Buffer.from(node.content);
      const declared = charsetOf(node) ?? inside;
      const outside = this.#outside.get(node)?.flatMap((line) => [line, LINE_FEED]) ?? [];
      const { text, charset, broken } = decodeText(bytes, declared, hint);
      if (broken > 0)
        this.notes.push({
          ...noteOf(node, { hint }),
          charset: declared ?? charset,
          undecoded: broken,
          ...excerpt(bytes, text),
        });
      return joined(text, decodeText(Buffer.concat(outside), declared, hint).text);
    }
  };
}

/** postal-mime goes through all parts of a mail again at each boundary. */
function finalizesEachOnce(node) {
  if (Object.hasOwn(node, 'finalizeChildNodes')) return;
  let done = 0;
  node.finalizeChildNodes = async () => {
    for (; done < node.childNodes.length; done += 1) await node.childNodes[done].finalize();
  };
}

/** @param {Uint8Array} line @param {Uint8Array} boundary */
function startsWith(line, boundary) {
  return line[0] === 0x2d && line[1] === 0x2d && boundary.every((byte, at) => line[at + 2] === byte);
}

const joined = (...texts) => texts.filter(Boolean).join('\n');

/** Programs forget the `text/` before it and the `;` behind it. */
function typeOf(node) {
  const [type] = (node.contentType.parsed?.value || '').split(/[\s,]/);
  return type === 'html' ? 'text/html' : type;
}

function charsetOf(node) {
  const { params, value } = node.contentType.parsed ?? {};
  return params?.charset ?? /\scharset\s*=\s*"?([\w:.-]+)/.exec(value || '')?.[1];
}

/** What is declared for the first text of the mail is a hint at what is not declared. */
function charsetIn(node) {
  const own = /^text\//.test(typeOf(node)) && charsetOf(node);
  if (own) return own;
  for (const child of node.childNodes) {
    const found = charsetIn(child);
    if (found) return found;
  }
  return undefined;
}

/** Where an HTML part says it itself. */
function metaCharset(content) {
  const start = Buffer.from(content, 0, Math.min(content.byteLength, 4096)).toString('latin1');
  return /<meta[^<>]+charset\s*=\s*["']?([\w:.-]+)/i.exec(start)?.[1];
}

function noteOf(node, { hint }) {
  const { params = {}, value: type } = node.contentType.parsed ?? {};
  const given = node.contentDisposition?.parsed?.params?.filename || params.name || subjectOf(node);
  const name = given && decodedWords(headerText(given, hint));
  return { ...(name && { name }), type: type || 'text/plain', bytes: node.content.byteLength };
}

/** What an attached mail is called where nobody named it. */
function subjectOf(node) {
  if (!MAIL.test(typeOf(node))) return undefined;
  const start = Buffer.from(node.content, 0, Math.min(node.content.byteLength, MAX_HEADER_BYTES));
  const [headers] = Buffer.from(escapedBytes(start))
    .toString()
    .split(/\r?\n\r?\n/, 1);
  return SUBJECT.exec(headers)?.[1].replace(/\r?\n/g, '').trim();
}

/** Only of what is nowhere else. */
function excerpt(bytes, text) {
  return text === '' ? { base64: bytes.subarray(0, EXCERPT_BYTES).toString('base64') } : {};
}

/** @param {Uint8Array} line of quoted-printable, with bytes that should have been quoted */
function quotedBytes(line) {
  if (line.every((byte) => byte < 0x80)) return line;
  const quoted = Buffer.from(line)
    .toString('latin1')
    .replace(/[\u0080-\u00ff]/g, (c) => `=${c.charCodeAt(0).toString(16)}`);
  return Buffer.from(quoted, 'latin1');
}

module.exports = { parseMime };
