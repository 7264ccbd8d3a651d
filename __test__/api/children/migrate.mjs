// A process of adoption/migrate.test.mjs: migrates, given the layer's configuration, and waits to be killed.
import { createMemoryLayer } from 'izzie-memory';

const { migrate } = createMemoryLayer(JSON.parse(process.argv[2]));
await migrate({ onProgress: ({ done }) => console.log(done) });
