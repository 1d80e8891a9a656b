// Remote paths (`container:path`), and the result of a copy.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

/** The result of a copy. */
export interface CopyResult {
  readonly kind: 'file' | 'directory';
  readonly container: string;
  /** In the container. */
  readonly path: string;
  readonly local: string;
  readonly bytes: number;
}

export interface RemotePath {
  readonly container: string;
  /** Absolute, without `..` and without a trailing slash. */
  readonly path: string;
  /** It was written with a trailing slash, so it must be a directory. */
  readonly isDirectory: boolean;
}

/** Parses `container:path`. Throws `usage`. */
export function parseRemote(text: string): RemotePath {
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
