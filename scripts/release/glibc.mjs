// The oldest glibc that a published addon may need: that of RHEL 8 and Debian 10.
import { capture } from '../lib/process.mjs';

export const GLIBC = '2.28';

/** @throws when the addon needs a newer glibc, naming the symbols */
export async function checkGlibc(addon) {
  const newer = symbolsNewerThan(GLIBC, await dynamicSymbols(addon));
  if (newer.length === 0) return;
  throw new Error(`${addon} needs a newer glibc than ${GLIBC}: ${newer.join(', ')}`);
}

async function dynamicSymbols(addon) {
  try {
    return await capture('objdump', ['-T', addon]);
  } catch (error) {
    throw new Error('The check of the addon needs objdump: install binutils.', { cause: error });
  }
}

/** @param {string} table what `objdump -T` prints */
export function symbolsNewerThan(limit, table) {
  const needed = [...table.matchAll(/\(?GLIBC_([\d.]+)\)?\s+(\S+)/g)];
  if (needed.length === 0) throw new Error('the addon names no version of glibc');
  return needed
    .filter(([, version]) => compare(version, limit) > 0)
    .map(([, version, symbol]) => `${symbol} (${version})`);
}

function compare(left, right) {
  const [a, b] = [left, right].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
