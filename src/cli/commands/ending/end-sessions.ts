// Ending and keeping containers by name, or all of them: what is asked before, and how it is told.
import {
  namedContainers,
  ownContainers,
  reachableContainers,
} from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { isBuild } from '../../../session/record/adopted.ts';
import { isMeant, refOf } from '../../../session/record/container-ref.ts';
import { type Container, isKept, isNobodys } from '../../../session/record/instance-record.ts';
import { findContainer } from '../../../session/record/lookup.ts';
import type { App } from '../../app.ts';
import { nothingDone } from './end-outcome.ts';
import type { EndOptions, EndWords } from './end-words.ts';
import { about } from './end-words.ts';

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

/** Nobody's, and not asked for by root: it may be anybody's all the same. */
function isForeign({ user }: App): (container: Container) => boolean {
  return (container) => user.uid !== 0 && isNobodys(container, user.uid);
}
