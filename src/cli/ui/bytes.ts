// How many bytes have come or gone: one live line on a terminal, nothing elsewhere.
import type { ByteProgress } from '../../app/context.ts';
import { cut } from './fit.ts';
import type { Io } from './io.ts';

const everyMs = 100;

/** `totalBytes` undefined where it is not known. */
export function byteProgress(
  io: Io,
  title: string,
  totalBytes: number | undefined,
  elapsedMs: () => number,
): ByteProgress {
  const { live } = io;
  let [done, shownMs] = [0, elapsedMs()];
  return {
    add: (bytes) => {
      done += bytes;
      if (!live || elapsedMs() - shownMs < everyMs) return;
      shownMs = elapsedMs();
      const of = totalBytes === undefined ? '' : ` of ${bytesText(totalBytes)}`;
      io.overwrite(cut(`${title}: ${bytesText(done)}${of}`, io.columns.story - 1));
    },
    done: () => done,
    clear: () => {
      if (live) io.overwrite('');
    },
  };
}

/** `1.5 MiB`: one decimal from KiB on. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
