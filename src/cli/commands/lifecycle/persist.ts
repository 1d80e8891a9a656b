// `coi persist`: keeps the container of a session from now on. It sets one key of the instance, which every process reads.
import type { Command } from 'commander';
import { keepContainer } from '../../../app/end-sessions/keep-container.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { preferLasting } from '../../../app/targets/workspace-container.ts';
import { identifyWorkspace, isContainerOf } from '../../../app/workspace-names.ts';
import { CoiError } from '../../../errors.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { selectContainersToEnd } from './containers-to-end.ts';
import { endAll } from './end-all.ts';
import type { EndOptions } from './end-wording.ts';

const wording = {
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
    .argument('[name...]', 'container names or aliases (default: the only one of the workspace)')
    .option('-a, --all', 'all sessions')
    .option('-f, --force', 'skip the confirmation prompt')
    .option('--json', 'print the result as JSON')
    .action((names: string[]) =>
      persist(app, mergedOptions<GlobalOptions & EndOptions>(command), names),
    );
}

async function persist(
  app: App,
  options: GlobalOptions & EndOptions,
  names: readonly string[],
): Promise<void> {
  const bare = names.length === 0 && !options.all;
  const chosen = bare
    ? [await onlyContainer(app, options)]
    : await selectContainersToEnd(app, options, names, wording);
  if (chosen)
    await endAll(app, options, chosen, wording, (container) => keepContainer(app, container));
}

/** The only session of the workspace. Throws `session-not-found` if there is none or more than one. */
async function onlyContainer(app: App, options: GlobalOptions & EndOptions): Promise<Container> {
  const workspace = identifyWorkspace(app, options);
  const all = preferLasting((await ownContainers(app, options)).filter(isContainerOf(workspace)));
  const [only] = all;
  if (only && all.length === 1) return only;
  throw new CoiError(
    'session-not-found',
    only
      ? `${workspace.path} has ${all.length} sessions: ${all.map(({ name }) => name).join(', ')}`
      : `no session in ${workspace.path}`,
    { hint: only ? 'Name one of them, or use --all.' : 'Run `coi list` to see your sessions.' },
  );
}
