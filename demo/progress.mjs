import cliProgress from 'cli-progress';

/**
 * A progress bar on a terminal; elsewhere silent, as the steps say themselves when they are done. Progress is measured
 * in bytes of the file, because a stream does not know how many entries are still to come.
 *
 * @param {number} totalBytes
 * @param {NodeJS.WriteStream} [stream]
 */
export function createProgress(totalBytes, stream = process.stderr) {
  if (!stream.isTTY) return { update() {}, stop() {} };
  const bar = new cliProgress.SingleBar(
    {
      format: 'Storing [{bar}] {percentage} % | {stored} memories | {eta_formatted} left',
      stream,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(totalBytes, 0, { stored: 0 });
  let furthest = 0;
  return {
    /** Entries finish out of order: the bar never goes back. */
    update(bytes, stored) {
      furthest = Math.max(furthest, bytes);
      bar.update(furthest, { stored });
    },
    stop() {
      bar.stop();
    },
  };
}
