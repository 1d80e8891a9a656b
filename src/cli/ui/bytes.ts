// Progress of a transfer in bytes: a line that is updated on a terminal, nothing elsewhere.
import type { ByteProgress } from '../../app/context.ts';
import type { Io } from './io.ts';
import { truncate } from './text-width.ts';

const everyMs = 100;

/** `totalBytes` is undefined if the total is unknown. */
export function byteProgress(
  io: Io,
  title: string,
  totalBytes: number | undefined,
  elapsedMs: () => number,
): ByteProgress {
  const { canOverwrite: live } = io;
  let [done, shownMs] = [0, elapsedMs()];
  return {
    add: (bytes) => {
      done += bytes;
      if (!live || elapsedMs() - shownMs < everyMs) return;
      shownMs = elapsedMs();
      const of = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
      io.overwrite(truncate(`${title}: ${formatBytes(done)}${of}`, io.columns.stderr - 1));
    },
    done: () => done,
    clear: () => {
      if (live) io.overwrite('');
    },
  };
}

/** `1.5 MiB`: one decimal from KiB on. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
