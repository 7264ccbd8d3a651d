'use strict';

const net = require('node:net');
const path = require('node:path');
const { setTimeout } = require('node:timers/promises');
const { ON_WINDOWS } = require('./address.cjs');
const { listen, listenOnSocketFile } = require('./listen.cjs');
const { codeOf } = require('./errors.cjs');

/*
 * The pulse is a socket whose only purpose is to be open exactly as long as its host may touch the data: the
 * kernel closes it when the process or the worker thread ends, however it ends, and keeps it connectable
 * while the host is merely slow or stopped by a signal. Each host has one of its own, never used again, so a
 * pulse once found dead stays dead. Guests hold a connection to it and learn of the host's end at once.
 */

const READY = 'ready';
// Names a path on Unix, a pipe on Windows.
const PIPE_PREFIX = '\\\\.\\pipe\\izzie-memory-';

/**
 * @param {import('./address.cjs').Address} address
 * @param {string} id the host's id
 */
function pulsePath(address, id) {
  return 'socketDir' in address ? path.join(address.socketDir, id) : PIPE_PREFIX + id;
}

/** The host's side. */
class Pulse {
  #server = net.createServer((socket) => this.#welcome(socket));
  /** @type {Set<net.Socket>} */
  #guests = new Set();
  #ready = false;

  /** @param {string} pulseFile */
  async start(pulseFile) {
    if (ON_WINDOWS) await listen(this.#server, { path: pulseFile });
    else await listenOnSocketFile(this.#server, pulseFile);
  }

  /** Tells present and future guests that the database answers. */
  announceReady() {
    this.#ready = true;
    for (const guest of this.#guests) guest.write(READY);
  }

  /** Ends the pulse: from here on this thread must not touch the data. */
  stop() {
    this.#server.close();
    for (const guest of this.#guests) guest.destroy();
  }

  /** @param {net.Socket} guest */
  #welcome(guest) {
    this.#guests.add(guest);
    // A guest may die in the middle of the word; its going is all there is to know.
    guest.on('error', () => {});
    guest.on('close', () => this.#guests.delete(guest));
    guest.resume();
    if (this.#ready) guest.write(READY);
  }
}

/**
 * @typedef {'alive' | 'dead' | 'missing'} PulseState
 * `missing`: no such file; somebody may have cleaned the temporary directory under a living host.
 */

/**
 * @param {string} pulseFile
 * @returns {Promise<PulseState>}
 */
function feelPulse(pulseFile) {
  return new Promise((resolve) => {
    const socket = net.connect(pulseFile);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (error) => resolve(stateFromError(codeOf(error))));
  });
}

/**
 * @param {string | undefined} code
 * @returns {PulseState}
 */
function stateFromError(code) {
  if (code === 'ECONNREFUSED') return 'dead';
  // A pipe on Windows has no file that could be cleaned away.
  if (code === 'ENOENT' || code === 'ENOTDIR') return ON_WINDOWS ? 'dead' : 'missing';
  // EAGAIN (the queue of a stopped host is full), EACCES and the like: there is somebody.
  return 'alive';
}

/** A guest's side: a connection that lasts as long as the host. */
class PulseWatch {
  /** @param {string} pulseFile */
  constructor(pulseFile) {
    this.#socket = net.connect(pulseFile);
    this.#socket.on('error', () => {}); // 'close' follows
    this.ended = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** @type {net.Socket} */
  #socket;
  /** Resolves when the host is gone, or after `stop()`. @type {Promise<void>} */
  ended;

  /**
   * @param {number} timeoutMs
   * @returns {Promise<'ready' | 'ended' | 'silent'>}
   */
  async whenReady(timeoutMs) {
    /** @type {Promise<'ready'>} */
    const ready = new Promise((resolve) => this.#socket.once('data', () => resolve('ready')));
    const ended = this.ended.then(() => /** @type {const} */ ('ended'));
    const timer = new AbortController();
    const silent = setTimeout(timeoutMs, /** @type {const} */ ('silent'), {
      ref: false,
      signal: timer.signal,
    });
    silent.catch(() => {}); // aborted: no longer waited for
    const state = await Promise.race([ready, ended, silent]);
    timer.abort();
    return state;
  }

  /** Lets the process exit although it watches. */
  unref() {
    this.#socket.unref();
  }

  stop() {
    this.#socket.destroy();
  }
}

module.exports = { Pulse, PulseWatch, feelPulse, pulsePath };
