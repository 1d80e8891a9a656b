// coi persist: a session's container is kept from now on. One key of the instance, and every process sees it.
import type { Command } from 'commander';
import { keep } from '../../../app/end-sessions/keep-container.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { lasting } from '../../../app/targets/workspace-container.ts';
import { here, isIn } from '../../../app/workspace-names.ts';
import { CoiError } from '../../../errors.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { endAll } from './end-outcome.ts';
import { containersToEnd } from './end-sessions.ts';
import type { EndOptions } from './end-words.ts';

const words = {
  verb: 'persist',
  title: 'Persist',
  done: 'Persisted',
  past: 'persisted',
  doing: 'Changing',
  ends: false,
  brief: (name: string) => `${name} is kept when it stops`,
} as const;

export function register(command: Command, app: App): void {
  command
    .argument('[name...]', 'containers, by name or alias (default: the only one of the workspace)')
    .option('-a, --all', 'all sessions')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what is kept as JSON')
    .action((names: string[]) => persist(app, flagsOf<GlobalOptions & EndOptions>(command), names));
}

async function persist(
  app: App,
  options: GlobalOptions & EndOptions,
  names: readonly string[],
): Promise<void> {
  const bare = names.length === 0 && !options.all;
  const chosen = bare
    ? [await onlyOne(app, options)]
    : await containersToEnd(app, options, names, words);
  if (chosen) await endAll(app, options, chosen, words, (container) => keep(app, container));
}

/** The workspace's only session. Throws `session-not-found` if there is none or several. */
async function onlyOne(app: App, options: GlobalOptions & EndOptions): Promise<Container> {
  const workspace = here(app, options);
  const all = lasting((await ownContainers(app, options)).filter(isIn(workspace)));
  const [only] = all;
  if (only && all.length === 1) return only;
  throw new CoiError(
    'session-not-found',
    only
      ? `${all.length} sessions are in ${workspace.path}: ${all.map(({ name }) => name).join(', ')}`
      : `there is no session in ${workspace.path}`,
    { hint: only ? 'Name one of them, or use --all.' : 'Run `coi list` to see your sessions.' },
  );
}
