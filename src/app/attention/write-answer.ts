// Gives an answer to a hook or plugin in a container (session/guest/answer.sh).
import { cleanLine } from '../../attention/clean.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import type { ContainerName } from '../../names.ts';
import type { AppContext } from '../context.ts';
import { guestDeadline, runGuestScript } from '../run-command/guest-script.ts';
import { answeredElsewhere } from './session-errors.ts';

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
  const result = await runGuestScript(app, name, {
    script: 'answer.sh',
    called: 'coi-answer',
    words: [directory, slot, guestDeadline(app), waiting ?? ''],
    input: text,
    user: agentUser,
    doing: 'answering the agent',
  });
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
