// Files that nobody has a reason to open, or to write.
import type { Touch } from '../sample.ts';
import type { Level } from '../threat.ts';
import type { Detector } from './detector.ts';

/** Host-side, by the kernel's word: which file, which process. */
export const touchedFiles: Detector = ({ now }) =>
  now.touches.map((touch) => ({
    level: levelOf(touch),
    category: 'filesystem' as const,
    title: titles[touch.kind],
    description: `${touch.program || 'A program'} (pid ${touch.pid}) ${touch.written ? 'wrote' : 'opened'} ${touch.path}${touch.kind === 'bait' ? ', which is bait: no program has a reason to' : ''}.`,
    evidence: {
      file: { path: touch.path, written: touch.written },
      process: { pid: touch.pid, program: touch.program },
    },
    key: `${touch.path} ${touch.program}`,
  }));

const titles: Readonly<Record<Touch['kind'], string>> = {
  bait: 'Bait taken',
  credential: 'Credential file opened',
  persistence: 'File written that starts programs',
};

function levelOf({ kind, written }: Touch): Level {
  if (kind === 'bait') return 'high';
  return written ? 'warning' : 'info';
}
