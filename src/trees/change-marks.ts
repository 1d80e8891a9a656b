// Which changes of a tree the host would run, test or obey once they are merged. Pure.
import { matchName } from '../session/handoff/match-name.ts';
import type { Change } from './changes.ts';

const linkMode = '120000';

/** Why somebody should read this change before it is merged; undefined for an ordinary file. */
export function changeMark({ kind, path, modes }: Change): string | undefined {
  if (kind === 'deleted') return undefined;
  const [, mode] = modes;
  const parts = path.split('/');
  for (const [at, name] of parts.entries()) {
    const isLast = at === parts.length - 1;
    const entry = !isLast ? 'directory' : mode === linkMode ? 'link' : 'other';
    const match = matchName(name, parts[at - 1] ?? '', entry);
    if (match && (match.whole || isLast)) return match.why;
  }
  const name = parts.at(-1);
  if (name === '.gitignore') return 'files that it ignores are in no capture';
  if (mode === linkMode) return 'a link';
  return undefined;
}
