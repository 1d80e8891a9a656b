// Gives an answer to a hook or plugin in a container (session/guest/answer.sh).
import { cleanLine } from '../../attention/clean.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { guestScript } from '../../host/install/resources.ts';
import type { ContainerName } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { plainEnvironment } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { answeredElsewhere } from './session-errors.ts';

const limitMs = 20_000;
const reasonMax = 200;
const notTaken = 3;
const otherAnswer = 4;

/** Where an answer is written, as paths in the container. */
export interface AnswerFile {
  readonly directory: string;
  readonly slot: string;
  /** A file of whoever takes it, which is there as long as they wait; undefined if there is none. */
  readonly waiting?: string;
  readonly text: string;
}

/** Throws `ask-gone` if another answer was given, and `ask-not-answerable` if the agent does not take it. */
export async function writeAnswer(
  app: AppContext,
  name: ContainerName,
  { directory, slot, waiting, text }: AnswerFile,
): Promise<void> {
  const incus = await app.incus();
  const { uid, home, name: user } = agentUser;
  const deadline = String(Math.floor((app.clock.now().getTime() + limitMs) / 1000));
  let result: Awaited<ReturnType<typeof incus.execCaptured>>;
  try {
    result = await incus.execCaptured(
      name,
      {
        command: [
          'sh',
          '-c',
          guestScript('answer.sh'),
          'coi-answer',
          directory,
          slot,
          deadline,
          waiting ?? '',
        ],
        environment: plainEnvironment(home, user, 'dumb'),
        cwd: '/',
        user: uid,
        group: uid,
        input: text,
      },
      { signal: app.signal, timeoutMs: limitMs },
    );
  } catch (error) {
    throw incusFailure(error, `answering the agent in ${name} failed`);
  }
  switch (result.status) {
    case 0:
      return;
    case notTaken:
      throw new CoiError('ask-gone', `the agent in ${name} did not take the answer`, {
        hint: `Run \`coi answer ${name}\` to see whether it still asks.`,
      });
    case otherAnswer:
      throw answeredElsewhere(name);
    default:
      throw new CoiError(
        'failed',
        `the answer could not be written in ${name}: ${cleanLine(result.stderr.toString('utf8'), reasonMax)}`,
        { hint: `Run \`coi attach ${name}\` to answer.` },
      );
  }
}
