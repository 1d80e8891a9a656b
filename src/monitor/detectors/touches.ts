// Reports access to files that no program has a reason to open or write.
import type { Touch } from '../sample.ts';
import type { Level } from '../threat.ts';
import type { Detector } from './detector.ts';

/** From the kernel on the host: which file, which process. */
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
      ? 'removed the protection from'
      : kind === 'set-id'
        ? 'set setuid, setgid or capabilities on'
        : written
          ? 'wrote'
          : 'opened';
  return `${who} ${what} ${path}${kind === 'bait' ? ', a bait file that no program has a reason to access' : ''}.`;
}

/** The description of a new protected path. Its creator is unknown: it belongs to the user either way. */
export function describeMade(path: string): string {
  return `${path} did not exist when the session started and does now: tools on the host run what it contains.`;
}

const titles: Readonly<Record<Touch['kind'], string>> = {
  bait: 'Bait file accessed',
  credential: 'Credential file opened',
  persistence: 'Protected path created',
  'set-id': 'Privileged program created',
  tampering: 'Protection attacked',
};

function levelOf({ kind, written }: Touch): Level {
  if (kind === 'tampering') return 'critical';
  if (kind === 'bait' || kind === 'persistence') return 'high';
  return written ? 'warning' : 'info';
}
