// The containers that a command means: the caller's own, all of them or those that were named.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { isMeant, refOf } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import { findContainer } from '../session/lookup.ts';
import { type Container, coiContainers, noTool } from '../session/record.ts';
import { stepProgress } from '../ui/progress.ts';
import type { GlobalOptions } from './command.ts';
import { resumeWords } from './resume-words.ts';

export type OwnerOptions = Pick<GlobalOptions, 'allUsers'>;

/** One cheap call. Throws `needs-root` for --all-users of another than root, and what a failed call means. */
export async function ownContainers(app: App, { allUsers }: OwnerOptions): Promise<Container[]> {
  if (allUsers && app.user.uid !== 0) {
    throw new CoiError('needs-root', "only root may see every user's sessions", {
      hint: 'Leave --all-users out, or use sudo.',
    });
  }
  try {
    const instances = await (await app.incus()).instances({ signal: app.signal });
    return coiContainers(instances, app.prefix, allUsers ? undefined : app.user.uid);
  } catch (error) {
    throw incusFailure(error, 'listing the containers failed');
  }
}

export interface EndOptions extends OwnerOptions {
  all?: boolean;
  force?: boolean;
  json?: boolean;
}

/** How a command that ends or keeps containers speaks of what it does. */
export interface EndWords {
  /** `kill` */
  readonly verb: string;
  /** `Killed` */
  readonly done: string;
  /** `Kill` */
  readonly title: string;
  /** `killed` */
  readonly past: string;
  /** How a person is told that it is done. */
  readonly brief: (name: string) => string;
  /** The session ends, and can be resumed. */
  readonly ends: boolean;
  /** `Shutting down` */
  readonly doing: string;
}

/**
 * The containers that a command should end, after asking where that is due: for --all and for several names.
 * Undefined when there is nothing to do, which was said. What does not exist is warned about.
 */
export async function containersToEnd(
  app: App,
  options: EndOptions,
  names: readonly string[],
  words: EndWords,
): Promise<Container[] | undefined> {
  const { io } = app;
  if (names.length === 0 && !options.all) {
    throw new CoiError(
      'usage',
      "no container names provided - use 'coi list' to see the containers",
      { hint: `Or use \`coi ${words.verb} --all\`.` },
    );
  }
  const own = await ownContainers(app, options);
  const [only] = names;
  if (!options.all && names.length === 1 && only !== undefined && !findContainer(app, own, only))
    throw new CoiError('session-not-found', `container ${quoted(only)} not found`, {
      hint: 'See `coi list`.',
    });
  const chosen = options.all ? own.filter(isSession) : namedContainers(app, own, names);
  if (chosen.length === 0) {
    if (!options.all) throw nothingDone(words);
    if (options.json) io.printJson({ done: [], failed: [] });
    else io.print(`No containers to ${words.title}`);
    return undefined;
  }
  if (!options.force && (options.all || names.length > 1)) {
    // With --json stdout is the answer alone.
    (options.json ? io.tell : io.print)(
      [
        `Found ${chosen.length} container(s):`,
        ...chosen.map(
          ({ name, session }) =>
            `  - ${name}${aliasOf(session?.alias)}${session?.persistent ? ' (persistent)' : ''}`,
        ),
      ].join('\n'),
    );
    if (!(await io.confirm(`${words.title} ${chosen.length} container(s)?`))) {
      if (options.json) io.printJson({ done: [], failed: [] });
      (options.json ? io.tell : io.print)('Cancelled.');
      return undefined;
    }
    return asListed(app, chosen, await ownContainers(app, options));
  }
  return chosen;
}

/** Those that are what was agreed to: the answer may have taken any time. */
function asListed(app: App, listed: readonly Container[], now: readonly Container[]): Container[] {
  return listed.filter((container) => {
    const { name, session, instance } = container;
    const same = now.find((other) => isMeant(refOf(instance), other.instance));
    if (same && same.session?.persistent === session?.persistent) return true;
    const what = same
      ? `${same.session?.persistent ? 'persistent' : 'ephemeral'} by now`
      : 'gone, or another one has its name by now';
    app.io.warn(`${name} is ${what}, so it is left alone`);
    return false;
  });
}

export function nothingDone({ past }: EndWords): CoiError {
  return new CoiError('failed', `no container was ${past}`, {
    hint: 'See `coi list`.',
  });
}

/** Ends all at once and says how each went. Throws `failed` if none could be ended. */
export async function endAll(
  app: App,
  { json = false }: Pick<EndOptions, 'json'>,
  containers: readonly Container[],
  words: EndWords,
  end: (container: Container) => Promise<unknown>,
): Promise<void> {
  const brief = app.io.briefAnswer && !json;
  const progress = stepProgress(app.io);
  // Without a terminal the lines of each container tell it.
  if (brief && app.io.live)
    progress.tell({ kind: 'started', name: words.verb, title: doingTitle(containers, words) });
  const ends = containers.map(async (container) => {
    try {
      await end(container);
      if (!json) app.io.print(doneLine(app, container, words));
      return true;
    } catch (error) {
      if (!(error instanceof CoiError) || app.signal.aborted) throw error;
      app.io.warn(`${container.name}: ${error.message}`);
      return false;
    }
  });
  const outcomes = await Promise.all(ends).finally(progress.clear);
  const those = (ended: boolean) =>
    containers.filter((_, at) => outcomes[at] === ended).map(({ name }) => name);
  const done = those(true);
  if (done.length === 0) throw nothingDone(words);
  if (json) app.io.printJson({ done, failed: those(false) });
  else if (!brief) app.io.print(`\n${words.done} ${done.length} container(s)`);
}

function doingTitle(containers: readonly Container[], { doing }: EndWords): string {
  const [only] = containers;
  return `${doing} ${only && containers.length === 1 ? only.name : `${containers.length} containers`}`;
}

function doneLine(app: App, { name, session }: Container, { done, brief, ends }: EndWords): string {
  if (!app.io.briefAnswer) return `✓ ${done} ${name}`;
  const isOwn = session?.owner === app.user.uid;
  if (!ends || !session || !isOwn || session.tool === noTool) return brief(name);
  return `${brief(name)}; resume: ${resumeWords(app, session)}`;
}

/** What only carries the prefix (a build, a container made by hand) is ended when it is named. */
function isSession({ session }: Container): boolean {
  return session !== undefined;
}

/** Those that the words mean, each once; what does not exist is warned about. */
export function namedContainers(
  app: App,
  own: readonly Container[],
  words: readonly string[],
): Container[] {
  const found = words.map((word) => {
    const container = findContainer(app, own, word);
    if (!container) app.io.warn(`container ${quoted(word)} not found`);
    return container;
  });
  return [...new Set(found.filter((container) => container !== undefined))];
}

function aliasOf(alias: string | undefined): string {
  return alias === undefined ? '' : ` (${alias})`;
}
