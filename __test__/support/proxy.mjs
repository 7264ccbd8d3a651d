// A TCP proxy with faults, for tests of what happens between the package and a store.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Listens on a port of its own and carries connections on to `target` ("host:port", or a URL with a port).
 * Its faults can be changed at any time, see the methods of the class.
 */
export async function startProxy(target) {
  const proxy = new FaultProxy(addressOf(target));
  await proxy.listen();
  return proxy;
}

class FaultProxy {
  #target;
  #server;
  #links = new Set();
  #fault = { mode: 'pass', latencyMs: 0 };

  /** Connections accepted since the start. */
  connections = 0;
  /** Round trips: how often a client spoke after a silence or an answer. */
  roundTrips = 0;
  /** Bytes received from each side. */
  bytes = { client: 0, target: 0 };
  /** Called with each piece of data and the side it comes from. @type {((from: string, piece: Buffer) => void) | undefined} */
  tap;

  constructor(target) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port() {
    return this.#server.address().port;
  }

  /** The number of connections that are open now. */
  get open() {
    return this.#links.size;
  }

  /** The same URL, by way of this proxy. */
  url(original) {
    const { host } = new URL(original);
    return original.replace(host, `127.0.0.1:${this.port}`);
  }

  /** As if it were not there; with a latency, each piece of data arrives that much later, in both directions. */
  pass({ latencyMs = 0 } = {}) {
    this.#fault = { mode: 'pass', latencyMs };
    for (const link of this.#links) link.resume();
  }

  /** Open connections are reset, new ones too. */
  refuse() {
    this.#fault = { mode: 'refuse' };
    this.reset();
  }

  /** Connections are accepted, but nothing is carried on and nothing is answered. */
  blackhole() {
    this.#fault = { mode: 'blackhole' };
    for (const link of this.#links) link.pause();
  }

  /**
   * Carries `afterBytes` more bytes from that side, over all connections, then resets the connection that sent them.
   * `{ from: 'target', afterBytes: 0 }`: the request arrives, its answer is lost.
   */
  cut({ from = 'client', afterBytes }) {
    this.#fault = { mode: 'cut', from, left: afterBytes };
  }

  /** Resets the open connections. */
  reset() {
    for (const link of this.#links) link.reset();
  }

  async close() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    await closed;
  }

  #accept(client) {
    this.connections += 1;
    if (this.#fault.mode === 'refuse') {
      client.on('error', () => {}); // it may have gone by itself
      reset(client);
      return;
    }
    const link = new Link(client, connect({ ...this.#target, allowHalfOpen: true }), this);
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
    if (this.#fault.mode === 'blackhole') link.pause();
  }

  /** What is carried on of this piece, after which delay, and whether the connection is cut after it. */
  rule(from, piece, startsRoundTrip) {
    this.bytes[from] += piece.length;
    this.tap?.(from, piece);
    if (startsRoundTrip) this.roundTrips += 1;
    const fault = this.#fault;
    if (fault.mode !== 'cut' || fault.from !== from)
      return { piece, delayMs: fault.latencyMs ?? 0, cut: false };
    const allowed = piece.subarray(0, fault.left);
    fault.left -= allowed.length;
    return { piece: allowed, delayMs: 0, cut: fault.left === 0 };
  }
}

/** One client's connection and its continuation to the target. */
class Link {
  #client;
  #upstream;
  #lastSpeaker;

  constructor(client, upstream, proxy) {
    this.#client = client;
    this.#upstream = upstream;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.reset()); // one side broke: the other one learns it the same way
      socket.on('close', () => this.reset());
    }
    this.#carry('client', client, upstream, proxy);
    this.#carry('target', upstream, client, proxy);
  }

  pause() {
    this.#client.pause();
    this.#upstream.pause();
  }

  resume() {
    this.#client.resume();
    this.#upstream.resume();
  }

  reset() {
    reset(this.#client);
    reset(this.#upstream);
  }

  #carry(from, source, sink, proxy) {
    let queue = Promise.resolve(); // pieces stay in order when the latency changes between them
    source.on('data', (data) => {
      const startsRoundTrip = from === 'client' && this.#lastSpeaker !== 'client';
      this.#lastSpeaker = from;
      const { piece, delayMs, cut } = proxy.rule(from, data, startsRoundTrip);
      const due = Date.now() + delayMs;
      queue = queue.then(async () => {
        if (due > Date.now()) await sleep(due - Date.now());
        if (sink.writable) sink.write(piece);
        if (cut) this.#cut();
      });
    });
    source.on('end', () => {
      queue = queue.then(() => sink.end());
    });
  }

  /** The client is reset at once; what the target was sent before it still arrives. */
  #cut() {
    this.#upstream.end(() => this.reset());
    reset(this.#client);
  }
}

/** One that is being shut down can only be closed: Node would refuse the reset, leave it open and spin at its own end. */
function reset(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function addressOf(target) {
  const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
  if (!port) throw new Error(`the target needs a port: ${hostname}`);
  return { host: hostname, port: Number(port) };
}
