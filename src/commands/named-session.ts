// The session that a word, --slot or the workspace means, for commands that act on one that is there.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { parseSlot } from '../names.ts';
import type { Container } from '../session/record.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { here, isOf } from './here.ts';
import { oneContainer } from './one-container.ts';

/** The caller's own, in any state. Throws `session-not-found`. */
export async function namedSession(
  app: App,
  options: GlobalOptions,
  word: string | undefined,
): Promise<Container> {
  if (word !== undefined || options.slot === undefined) return oneContainer(app, options, word);
  const slot = parseSlot(options.slot);
  const isHere = isOf(here(app, options));
  const inSlot = (await ownContainers(app, options)).filter(
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
  app: App,
  options: GlobalOptions,
  word: string | undefined,
): Promise<Container> {
  const found = await namedSession(app, options, word);
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
