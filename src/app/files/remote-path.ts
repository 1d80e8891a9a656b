// `container:path`, and what was copied there or from there.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

/** What was copied. */
export interface Copied {
  readonly kind: 'file' | 'directory';
  readonly container: string;
  /** In the container. */
  readonly path: string;
  readonly local: string;
  readonly bytes: number;
}

export interface Remote {
  readonly container: string;
  /** Absolute, without `..` and without a slash at its end. */
  readonly path: string;
  /** It was written with a slash at its end: a directory is meant. */
  readonly isDirectory: boolean;
}

/** Parses `container:path`. Throws `usage`. */
export function parseRemote(text: string): Remote {
  const at = text.indexOf(':');
  const [container, path] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (at < 1 || path === '' || path.includes('\0'))
    throw new CoiError('usage', `${quoted(text)} must be in format 'container:path'`, {
      hint: 'For example coi-0123abcd-1:/workspace/notes.txt',
    });
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return { container, path: `/${names.join('/')}`, isDirectory: /\/\.?$/.test(path) };
}
