// Finds the existing session that a name, --slot or the workspace selects.
import { CoiError } from '../../errors.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { identifyWorkspace, isSessionOf } from '../workspace-names.ts';
import { ownContainers } from './user-containers.ts';
import { oneContainer } from './workspace-container.ts';

/** One of the caller's sessions, in any state. Throws `session-not-found`. */
export async function namedSession(
  app: AppContext,
  target: SessionTarget,
  word: string | undefined,
): Promise<Container> {
  if (word !== undefined || target.slot === undefined) return oneContainer(app, target, word);
  const { slot } = target;
  const isHere = isSessionOf(identifyWorkspace(app, target));
  const inSlot = (await ownContainers(app, target)).filter(
    (container) => isHere(container) && container.session?.slot === Number(slot),
  );
  const found = inSlot.find(({ status }) => status !== 'Stopped') ?? inSlot[0];
  if (found) return found;
  throw new CoiError('session-not-found', `this workspace has no session in slot ${slot}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}

/** One of the caller's running sessions. Throws `session-not-found`. */
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
  return new CoiError('session-not-found', `${name} ${isPaused ? 'is paused' : 'is not running'}`, {
    hint: isPaused
      ? `Run \`coi unfreeze ${name}\` to resume it.`
      : session?.persistent
        ? `Run \`coi shell --resume=${session.session}\` in ${session.workspace} to resume it.`
        : 'Run `coi list` to see your sessions.',
  });
}
