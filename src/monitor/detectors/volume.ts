// Detects bulk reading followed by sending, and bulk writing.
import type { Change } from '../sample.ts';
import type { Detector } from './detector.ts';

const megabyte = 1024 * 1024;
/** At most one finding per minute: the key contains the minute. */
const windowMs = 60_000;
const writeWindowBytes = 8 * 1024 * megabyte;

/**
 * Builds, searches and copies read a lot. It is suspicious only if a similar amount leaves the container in the same minute
 * and more than was received: a download is written and read again too.
 */
export const bulkTransfer: Detector = ({ now, recent, settings }) => {
  const window = within(recent, windowMs);
  const read = sum(window, ({ readBytes }) => readBytes);
  const sent = sum(window, ({ sentBytes }) => sentBytes);
  const received = sum(window, ({ receivedBytes }) => receivedBytes);
  const rate = Math.max(
    0,
    ...window.map(({ readBytes, elapsedMs }) => (readBytes * 1000) / elapsedMs),
  );
  const reads = read >= settings.readBytes || rate >= settings.readBytesPerSecond;
  if (!reads || sent < settings.readBytes || sent < read / 4 || sent < 2 * received) return [];
  return [
    {
      level: 'high',
      category: 'filesystem',
      title: 'Bulk reading followed by sending',
      description: `${megabytes(read)} were read and ${megabytes(sent)} left the container within a minute.`,
      evidence: {
        filesystem: { readBytes: read, readBytesPerSecond: Math.round(rate) },
        network: { sentBytes: sent, receivedBytes: received },
      },
      key: `${Math.floor(now.atMs / windowMs)}`,
    },
  ];
};

/** Reported since it fills the user's disk; no build writes that much in a minute. */
export const largeWrites: Detector = ({ now, recent }) => {
  const written = sum(within(recent, windowMs), ({ writtenBytes }) => writtenBytes);
  if (written < writeWindowBytes) return [];
  return [
    {
      level: 'warning',
      category: 'filesystem',
      title: 'Bulk writing',
      description: `${megabytes(written)} were written within a minute.`,
      evidence: { filesystem: { writtenBytes: written } },
      key: `${Math.floor(now.atMs / windowMs)}`,
    },
  ];
};

function within(changes: readonly Change[], ms: number): Change[] {
  let age = 0;
  return changes.toReversed().filter(({ elapsedMs }) => {
    const fits = age < ms;
    age += elapsedMs;
    return fits;
  });
}

function sum(changes: readonly Change[], value: (change: Change) => number): number {
  return changes.reduce((total, change) => total + value(change), 0);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / megabyte)} MB`;
}
