// Detects more than can be checked, or reads that the container blocks: something may hide there. No build, test run or
// server comes near these limits.
import type { Detector } from './detector.ts';

export const tooMuchToCheck: Detector = ({ now }) =>
  now.unseen.map(({ what, count }) => ({
    level: 'high' as const,
    category: 'monitor' as const,
    title: 'Too much to check',
    description:
      what === 'command lines'
        ? readsBlocked
        : `The container has more ${what} than coid can check in time, so something may hide there.`,
    evidence: { unseen: { what, count, processes: now.processCount } },
    key: what,
  }));

const readsBlocked =
  'The container keeps coid from reading command lines (a process is blocked on a file system that the container serves), so something may hide there.';
