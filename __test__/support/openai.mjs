// A loopback server that speaks the OpenAI protocol, embeddings and chat completions, with faults on demand.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * What goes wrong with one request. `path` limits it to 'embeddings' or 'chat'.
 *
 * @typedef {object} Fault
 * @property {'embeddings' | 'chat'} [path]
 * @property {number} [delayMs] answers that much later; rightly, unless another fault is named
 * @property {number} [status] an error answer with this status
 * @property {string | number} [retryAfter] its header: seconds or an HTTP date
 * @property {string} [body] these words instead of the answer
 * @property {boolean} [truncate] the first half of the answer, as if it were whole
 * @property {boolean} [cut] the first half of the answer, then the connection ends
 * @property {boolean} [hang] no answer, until the client goes
 * @property {(answer: any) => any} [change] the answer, changed: fewer vectors, nulls, other indexes
 */

/**
 * Starts a server. Equal texts have equal vectors, similar ones similar vectors; see {@link vectorOf}.
 *
 * @param {{ dimensions?: number, chat?: (body: any) => unknown }} [options] `chat` gives the content of the assistant's
 *   message for a request: text, or an object that becomes JSON
 */
export async function startOpenAi({
  dimensions = 64,
  chat = () => ({ entities: [], relationships: [] }),
} = {}) {
  const server = new OpenAi(dimensions, chat);
  await server.up();
  return server;
}

class OpenAi {
  /** @type {{ path: string, key: string | undefined, body: any }[]} what was asked, in order; may be emptied */
  requests = [];
  /** @type {Fault | null} what is wrong with every request that no fault of `next` is meant for */
  fault = null;
  /** @type {{ bytes: number, status?: number, body?: unknown } | null} texts of more bytes are refused, in OpenAI's words or these */
  limit = null;
  #faults = [];
  #server = null;
  #port = 0;

  constructor(dimensions, chat) {
    this.dimensions = dimensions;
    this.chat = chat;
  }

  get baseUrl() {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** All texts that were embedded, in order. */
  get texts() {
    return this.requests.filter(({ path }) => path.endsWith('/embeddings')).flatMap(({ body }) => body.input);
  }

  /** These faults befall the next requests, one each. */
  next(...faults) {
    this.#faults.push(...faults);
  }

  /** Listens, on the same port as before. */
  async up() {
    const server = createServer((request, response) => {
      // A client that goes away in the middle is what some tests do on purpose.
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = server.address().port;
  }

  /** Closes the port and every connection: the provider is gone. */
  async down() {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  close() {
    return this.down();
  }

  async #answer(request, response) {
    const body = JSON.parse(await textOf(request));
    const key = request.headers.authorization?.replace(/^Bearer /, '');
    this.requests.push({ path: request.url, key, body });
    const path = request.url.endsWith('/chat/completions') ? 'chat' : 'embeddings';
    const fault = this.#faultFor(path);
    if (fault.delayMs) await sleep(fault.delayMs);
    if (fault.hang) return;
    if (fault.status) return refuse(response, fault);
    if (path === 'embeddings' && this.#isTooLong(body)) return refuseLength(response, this.limit);
    const right = path === 'chat' ? this.#completion(body) : this.#embeddings(body);
    send(response, fault, fault.change ? fault.change(right) : right);
  }

  #faultFor(path) {
    const meant = (fault) => fault && (fault.path ?? path) === path;
    const place = this.#faults.findIndex(meant);
    if (place >= 0) return this.#faults.splice(place, 1)[0];
    return meant(this.fault) ? this.fault : {};
  }

  #isTooLong({ input }) {
    return this.limit !== null && [input].flat().some((text) => Buffer.byteLength(text) > this.limit.bytes);
  }

  #embeddings({ input, model, dimensions = this.dimensions, encoding_format: format }) {
    const texts = [input].flat();
    const encoded = (vector) => (format === 'base64' ? base64(vector) : vector);
    const data = texts.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: encoded(vectorOf(text, dimensions)),
    }));
    const tokens = texts.join(' ').split(/\s+/).length;
    return { object: 'list', model, data, usage: { prompt_tokens: tokens, total_tokens: tokens } };
  }

  #completion(body) {
    const said = this.chat(body);
    const content = typeof said === 'string' ? said : JSON.stringify(said);
    const choice = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content } };
    return { id: 'chatcmpl-1', object: 'chat.completion', model: body.model, choices: [choice] };
  }
}

/**
 * A bag of words, each hashed to a place and a sign, of length 1: texts that share words are similar.
 *
 * @param {string} text
 * @param {number} [dimensions]
 */
export function vectorOf(text, dimensions = 64) {
  const vector = Array(dimensions).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
    const hash = createHash('sha256').update(word).digest();
    vector[hash.readUInt32LE(0) % dimensions] += hash[4] % 2 === 0 ? 1 : -1;
  }
  // Words that cancel each other out must not leave a vector without direction.
  if (vector.every((number) => number === 0)) vector[0] = 1;
  const length = Math.hypot(...vector);
  return vector.map((number) => number / length);
}

async function textOf(request) {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return text;
}

/** As providers do, the refusal repeats what it was sent: nothing of it may be seen in errors and logs. */
function refuse(response, { status, retryAfter, body }) {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  const error = { message: `refused: ${response.req.headers.authorization}`, type: 'test', code: status };
  response.writeHead(status, { ...JSON_TYPE, ...headers }).end(body ?? JSON.stringify({ error }));
}

const CONTEXT_LENGTH = {
  error: {
    message: "This model's maximum context length is 8192 tokens, however you requested 10000 tokens.",
    type: 'invalid_request_error',
    code: null,
  },
};

function refuseLength(response, { status = 400, body = CONTEXT_LENGTH }) {
  response.writeHead(status, JSON_TYPE).end(JSON.stringify(body));
}

function send(response, { body, truncate, cut }, answer) {
  const whole = body ?? JSON.stringify(answer);
  const half = whole.slice(0, Math.floor(whole.length / 2));
  if (!cut) return response.writeHead(200, JSON_TYPE).end(truncate ? half : whole);
  response.writeHead(200, { ...JSON_TYPE, 'content-length': Buffer.byteLength(whole) });
  return response.write(half, () => response.destroy());
}

/** Little-endian 32-bit floats, as OpenAI packs them. */
function base64(vector) {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}
