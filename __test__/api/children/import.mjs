// A process of mail-import.test.mjs: imports a mailbox, given the layer's configuration, and tells the result.
import { createReadStream } from 'node:fs';
import { createMemoryLayer } from 'izzie-memory';

const [, , config, file, once] = process.argv;
const layer = createMemoryLayer(JSON.parse(config));
const source = once ? createReadStream(file) : () => createReadStream(file);
const result = await layer.memory.importMemories(source, { format: 'mbox', userId: 'me' });
await layer.close();
console.log(JSON.stringify(result));
