// More than can be looked at, or what the container keeps us from reading: somebody may hide in it. No build, test run or
// server comes near.
import type { Detector } from './detector.ts';

export const crowd: Detector = ({ now }) =>
  now.unseen.map(({ what, count }) => ({
    level: 'high' as const,
    category: 'monitor' as const,
    title: 'Too much to look at',
    description:
      what === 'command lines'
        ? heldUp
        : `The container has more ${what} than coid can look at in time, so something may hide there.`,
    evidence: { unseen: { what, count, processes: now.processCount } },
    key: what,
  }));

const heldUp =
  'The container keeps coid from reading command lines (a process waits for a file system of its own), so something may hide there.';
