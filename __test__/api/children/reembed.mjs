// A process of reembed.test.mjs: run with a script and the layer's configuration.
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryLayer } from 'izzie-memory';

const [, , script, config] = process.argv;
const { memory, sync } = createMemoryLayer(JSON.parse(config));

const SCRIPTS = {
  /** Tells how far it is. */
  async reembed() {
    await sync.reembed({ onProgress: ({ done }) => console.log(`done ${done}`) });
    process.exit(0);
  },

  /** Searches for one memory until it is killed, and tells each time whether it was the best one. */
  async search() {
    for (;;) {
      const [best] = await memory.retrieve('ada', 'note 4321 about topic4321', { limit: 3 });
      const how = best?.similarity === undefined ? 'by text' : 'by both';
      console.log(best?.content === 'note 4321 about topic4321' ? `found ${how}` : 'lost');
      await sleep(50);
    }
  },
};

await SCRIPTS[script]();
