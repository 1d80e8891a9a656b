// The session that a word, --slot or the workspace means, for commands that act on one that is there.
import { CoiError } from '../../errors.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { here, isOf } from '../workspace-names.ts';
import { ownContainers } from './user-containers.ts';
import { oneContainer } from './workspace-container.ts';

/** The caller's own, in any state. Throws `session-not-found`. */
export async function namedSession(
  app: AppContext,
  target: SessionTarget,
  word: string | undefined,
): Promise<Container> {
  if (word !== undefined || target.slot === undefined) return oneContainer(app, target, word);
  const { slot } = target;
  const isHere = isOf(here(app, target));
  const inSlot = (await ownContainers(app, target)).filter(
    (container) => isHere(container) && container.session?.slot === Number(slot),
  );
  const found = inSlot.find(({ status }) => status !== 'Stopped') ?? inSlot[0];
  if (found) return found;
  throw new CoiError('session-not-found', `this workspace has no session in slot ${slot}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}

/** The same, and it runs. */
export async function runningSession(
  app: AppContext,
  target: SessionTarget,
  word: string | undefined,
): Promise<Container> {
  const found = await namedSession(app, target, word);
  if (found.status === 'Running') return found;
  throw notRunning(found);
}

export function notRunning({ name, status, session }: Container): CoiError {
  const isPaused = status === 'Frozen';
  return new CoiError('session-not-found', `${name} ${isPaused ? 'is paused' : 'does not run'}`, {
    hint: isPaused
      ? `\`coi unfreeze ${name}\` lets it go on.`
      : session?.persistent
        ? `\`coi shell --resume=${session.session}\` in ${session.workspace} starts it again.`
        : 'Run `coi list` to see your sessions.',
  });
}
