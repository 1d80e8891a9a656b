// coi file push|pull: files between the host and a container, running or stopped.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import type { GlobalOptions } from './command.ts';
import { pull } from './file-pull.ts';
import { push } from './file-push.ts';
import { flagsOf } from './global.ts';

interface Options {
  recursive?: boolean;
  json?: boolean;
}

/** What was copied, for --json. */
export interface Copied {
  readonly kind: 'file' | 'directory';
  readonly container: string;
  /** In the container. */
  readonly path: string;
  readonly local: string;
  readonly bytes: number;
}

export function register(command: Command, app: App): void {
  const shared = () => flagsOf<GlobalOptions>(command);
  command
    .command('push')
    .description('copy a file or directory into a container')
    .argument('<local>', 'file or directory of this host')
    .argument('<container:path>', 'container and the place in it')
    .option('-r, --recursive', 'a directory with all that is in it')
    .option('--json', 'print what was copied as JSON')
    .action(async (local: string, remote: string, { recursive = false, json }: Options) => {
      const copied = await push(app, shared(), local, parseRemote(remote), recursive);
      if (json) app.io.printJson(copied);
    });
  command
    .command('pull')
    .description('copy a file or directory out of a container')
    .argument('<container:path>', 'container and the file or directory in it')
    .argument('<local>', 'place on this host')
    .option('-r, --recursive', 'a directory with all that is in it')
    .option('--json', 'print what was copied as JSON')
    .action(async (remote: string, local: string, { recursive = false, json }: Options) => {
      const copied = await pull(app, shared(), parseRemote(remote), local, recursive);
      if (json) app.io.printJson(copied);
    });
  command.addHelpText(
    'after',
    '\nAn existing directory receives the entry inside, as with cp. Links are copied as links into a container and left\nout on the way back, as are devices, sockets and FIFOs; set-user-id bits do not travel.',
  );
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
