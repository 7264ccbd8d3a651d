'use strict';

// Prints what a call rejects with, and which files and sockets it has left open (on Linux, where one can look).
const fs = require('node:fs');
const net = require('node:net');
const { enhancedMemoryService } = require('izzie-memory');

/** Node's own side of it: every socket and server that the call makes. */
const made = [];
for (const [Class, method] of [
  [net.Socket, 'connect'],
  [net.Server, 'listen'],
]) {
  const original = Class.prototype[method];
  Class.prototype[method] = function (...args) {
    made.push(`${Class.name}.${method}`);
    return original.apply(this, args);
  };
}

/** The addon's side: what the process has open. */
function descriptors() {
  if (process.platform !== 'linux') return [];
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // The one that the listing itself had open.
    }
  });
}

async function main() {
  const before = descriptors();
  const { reason } = await enhancedMemoryService
    .store({ userId: 'lifecycle', content: 'c' })
    .catch((error) => error);
  const { status: health } = await enhancedMemoryService.getHealth();
  const opened = descriptors().filter((file) => !before.includes(file) && !file.startsWith('anon_inode:'));
  fs.writeSync(1, JSON.stringify({ reason, health, opened: [...made, ...opened] }));
}

main();
