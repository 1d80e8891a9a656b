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
    description: describe(touch),
    evidence: {
      file: { path: touch.path, written: touch.written },
      process: { pid: touch.pid, program: touch.program },
    },
    key: `${touch.path} ${touch.program}`,
  }));

function describe({ path, kind, written, pid, program }: Touch): string {
  if (kind === 'persistence') return describeMade(path);
  const who = pid > 0 ? `${program || 'A program'} (pid ${pid})` : 'Something';
  const what =
    kind === 'tampering'
      ? 'took the guard away from'
      : kind === 'set-id'
        ? 'set setuid, setgid or capabilities on'
        : written
          ? 'wrote'
          : 'opened';
  return `${who} ${what} ${path}${kind === 'bait' ? ', which is bait: no program has a reason to' : ''}.`;
}

/** What is said of a protected path that did not exist and does now. Who made it cannot be seen: it belongs to the user either way. */
export function describeMade(path: string): string {
  return `${path} was not there when the session began and is now: tools on the host run what it says.`;
}

const titles: Readonly<Record<Touch['kind'], string>> = {
  bait: 'Bait taken',
  credential: 'Credential file opened',
  persistence: 'Protected path made',
  'set-id': 'Program with foreign rights made',
  tampering: 'Protection attacked',
};

function levelOf({ kind, written }: Touch): Level {
  if (kind === 'tampering') return 'critical';
  if (kind === 'bait' || kind === 'persistence') return 'high';
  return written ? 'warning' : 'info';
}
