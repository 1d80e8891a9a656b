// Selection and confirmation of the containers to end or to persist.
import {
  namedContainers,
  ownContainers,
  reachableContainers,
} from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { isBuild } from '../../../session/record/adopted-container.ts';
import { matchesRef, refOf } from '../../../session/record/container-ref.ts';
import { findContainer } from '../../../session/record/find-container.ts';
import {
  type Container,
  isPersistent,
  isUnowned,
} from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import { noneEndedError } from './end-all.ts';
import type { EndOptions, EndWording } from './end-wording.ts';
import { containerNotes } from './end-wording.ts';

/**
 * Selects the containers to end; asks for confirmation with --all and with several names. Names that do not exist are
 * reported as warnings. Returns undefined if there is nothing to do, after reporting that.
 */
export async function selectContainersToEnd(
  app: App,
  options: EndOptions,
  names: readonly string[],
  wording: EndWording,
): Promise<Container[] | undefined> {
  const { io } = app;
  if (names.length === 0 && !options.all) {
    throw new CoiError(
      'usage',
      "no container names provided - use 'coi list' to see the containers",
      { hint: `Use \`coi ${wording.verb} --all\` for all of them.` },
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
    if (!options.all) throw noneEndedError(wording);
    if (options.json) io.printJson({ done: [], failed: [] });
    else io.print(`No containers to ${wording.title}`);
    return undefined;
  }
  const isAsked = options.all || names.length > 1 || chosen.some(isForeignTo(app));
  if (!options.force && isAsked) {
    // With --json stdout has the result only.
    (options.json ? io.info : io.print)(
      [
        `Found ${chosen.length} container(s):`,
        ...chosen.map((container) => `  - ${container.name}${containerNotes(container)}`),
      ].join('\n'),
    );
    if (!(await io.confirm(`${wording.title} ${chosen.length} container(s)?`))) {
      if (options.json) io.printJson({ done: [], failed: [] });
      (options.json ? io.info : io.print)('Cancelled.');
      return undefined;
    }
    return unchangedContainers(app, chosen, await look());
  }
  return chosen;
}

/** The containers that are still as listed: they may have changed while the question was open. */
function unchangedContainers(
  app: App,
  listed: readonly Container[],
  now: readonly Container[],
): Container[] {
  return listed.filter((container) => {
    const { name, instance } = container;
    const same = now.find((other) => matchesRef(refOf(instance), other.instance));
    if (same && isPersistent(same) === isPersistent(container)) return true;
    const what = same
      ? `now ${isPersistent(same) ? 'persistent' : 'ephemeral'}`
      : 'gone or replaced by another container';
    app.io.warn(`${name} is ${what}; skipped`);
    return false;
  });
}

/** Without an owner, so it may belong to another user; root does not care. */
function isForeignTo({ user }: App): (container: Container) => boolean {
  return (container) => user.uid !== 0 && isUnowned(container, user.uid);
}
