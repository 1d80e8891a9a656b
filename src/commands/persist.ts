// coi persist: a session's container is kept from now on. One key of the instance, and every process sees it.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import type { SessionId } from '../names.ts';
import { updateContainer } from '../session/act.ts';
import { refOf } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import type { Container } from '../session/record.ts';
import { recordSession } from '../session/store.ts';
import { type StoredEntry, storedSession, storedSessions } from '../session/stored.ts';
import type { GlobalOptions } from './command.ts';
import { containersToEnd, type EndOptions, endAll, ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { here, isIn } from './here.ts';
import { lasting } from './one-container.ts';

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

async function keep(app: App, { name, session, adopted, instance }: Container): Promise<void> {
  try {
    await updateContainer(
      await app.incus(),
      refOf(instance),
      // Ephemeral in Incus's own sense is what a `coi shutdown` that was killed half-way has left.
      { config: { 'user.coi.persistent': 'true' }, ephemeral: false },
      { signal: app.signal },
    );
  } catch (error) {
    throw incusFailure(error, 'marking the container failed');
  }
  const { home, uid, gid } = app.user;
  const stored = session
    ? storedSession(session.session as SessionId, { home, tool: session.tool }, hostFiles)
    : newestOf(name, home);
  if (stored?.kind === 'saved') {
    const metadata = { ...stored.metadata, persistent: true };
    const tool = { sessionsDir: `sessions-${stored.metadata.tool}` };
    recordSession({ home, tool, keeper: { uid, gid }, metadata }, hostFiles);
  } else if (session ?? adopted?.workspace)
    app.io.warn(`${name}: no saved metadata; a resume in a new container will be ephemeral`);
}

/** What the Go program saved of that container. */
function newestOf(container: string, home: string): StoredEntry | undefined {
  return storedSessions({ home }, hostFiles).find(
    (entry) => entry.kind === 'saved' && entry.metadata.container === container,
  );
}
