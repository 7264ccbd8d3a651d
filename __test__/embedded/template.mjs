// Creates one empty database, of which the tests take copies.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import embedded from '../../lib/embedded/index.cjs';

export async function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'test-embedded-template-'));
  const { databaseUrl, close } = await embedded.openEmbedded({ folder });
  await close();
  rmSync(new URL(databaseUrl).searchParams.get('host'), { recursive: true });
  process.env.EMBEDDED_TEMPLATE = join(folder, 'data');
  return () => rmSync(folder, { recursive: true });
}
