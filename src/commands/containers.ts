// The containers that a command means: the caller's own, all of them or those that were named.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { isBuild } from '../session/adopted.ts';
import { isMeant, refOf } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import { findContainer } from '../session/lookup.ts';
import { aliasOf, type Container, isKept, isNobodys, noTool } from '../session/record.ts';
import { stepProgress } from '../ui/progress.ts';
import { coiContainersBeside } from './beside.ts';
import type { GlobalOptions } from './command.ts';
import { resumeWords } from './resume-words.ts';

export type OwnerOptions = Pick<GlobalOptions, 'allUsers'>;

/** One cheap call. Throws `needs-root` for --all-users of another than root, and what a failed call means. */
export async function ownContainers(app: App, options: OwnerOptions): Promise<Container[]> {
  const all = await reachableContainers(app, options);
  return all.filter((container) => app.user.uid === 0 || !isNobodys(container, app.user.uid));
}

/** The same, and those of nobody, which a user may name. */
export async function reachableContainers(
  app: App,
  { allUsers }: OwnerOptions,
): Promise<Container[]> {
  const { user } = app;
  if (allUsers && user.uid !== 0) {
    throw new CoiError('needs-root', "only root may see every user's sessions", {
      hint: 'Leave --all-users out, or use sudo.',
    });
  }
  try {
    const instances = await (await app.incus()).instances({ signal: app.signal });
    return await coiContainersBeside(app, instances, allUsers ? undefined : user.uid);
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
  const look = () => (options.all ? ownContainers : reachableContainers)(app, options);
  const own = await look();
  const [only] = names;
  if (!options.all && names.length === 1 && only !== undefined && !findContainer(app, own, only))
    throw new CoiError('session-not-found', `container ${quoted(only)} not found`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  const chosen = options.all
    ? own.filter(({ instance }) => !isBuild(instance))
    : namedContainers(app, own, names);
  if (chosen.length === 0) {
    if (!options.all) throw nothingDone(words);
    if (options.json) io.printJson({ done: [], failed: [] });
    else io.print(`No containers to ${words.title}`);
    return undefined;
  }
  const isAsked = options.all || names.length > 1 || chosen.some(isForeign(app));
  if (!options.force && isAsked) {
    // With --json stdout is the answer alone.
    (options.json ? io.tell : io.print)(
      [
        `Found ${chosen.length} container(s):`,
        ...chosen.map((container) => `  - ${container.name}${about(container)}`),
      ].join('\n'),
    );
    if (!(await io.confirm(`${words.title} ${chosen.length} container(s)?`))) {
      if (options.json) io.printJson({ done: [], failed: [] });
      (options.json ? io.tell : io.print)('Cancelled.');
      return undefined;
    }
    return asListed(app, chosen, await look());
  }
  return chosen;
}

/** Those that are what was agreed to: the answer may have taken any time. */
function asListed(app: App, listed: readonly Container[], now: readonly Container[]): Container[] {
  return listed.filter((container) => {
    const { name, instance } = container;
    const same = now.find((other) => isMeant(refOf(instance), other.instance));
    if (same && isKept(same) === isKept(container)) return true;
    const what = same
      ? `${isKept(same) ? 'persistent' : 'ephemeral'} by now`
      : 'gone, or another one has its name by now';
    app.io.warn(`${name} is ${what}, so it is left alone`);
    return false;
  });
}

export function nothingDone({ past }: EndWords): CoiError {
  return new CoiError('failed', `no container was ${past}`, {
    hint: 'Run `coi list` to see your sessions.',
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

/** Nobody's, and not asked for by root: it may be anybody's all the same. */
function isForeign({ user }: App): (container: Container) => boolean {
  return (container) => user.uid !== 0 && isNobodys(container, user.uid);
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

function about(container: Container): string {
  const alias = aliasOf(container);
  return [
    ...(alias === undefined ? [] : [` (${alias})`]),
    ...(isKept(container) ? [' (persistent)'] : []),
    ...(container.adopted?.owner === 'nobody' ? [' (belongs to nobody)'] : []),
  ].join('');
}
