// `coi wait`: waits until sessions need the user.
import type { Command } from 'commander';
import { checkMark, parseCursor } from '../../../app/attention/conversation-mark.ts';
import { waitForSessions } from '../../../app/attention/wait.ts';
import { namedSession } from '../../../app/targets/named-session.ts';
import { activityJson, activityLine } from '../../../attention/activity-text.ts';
import { type WaitGoal, waitGoals } from '../../../attention/wait.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { oneLine } from '../../../printable.ts';
import { aliasOf, type Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { collect, mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { parseTimeLimit } from '../session/time-limit.ts';

interface Options extends GlobalOptions {
  for?: readonly string[];
  since?: string;
  any?: boolean;
  timeout?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[session...]', 'names or aliases (default: the only session of the workspace)')
    .option(
      '--for <goal>',
      'what to wait for: idle, asks, exit or turn-end (repeatable; default: any of the first three)',
      collect,
    )
    .option('--since <cursor>', 'for turn-end: a cursor that `coi send --json` has printed')
    .option('--any', 'return when the first of several sessions is there (default: all of them)')
    .option('--timeout <duration>', 'give up after this time with exit status 124, for example 30m')
    .option('--json', 'print one line of JSON for each session')
    .addHelpText(
      'after',
      `
idle: the agent has ended its turn. asks: it waits for an answer. exit: it or the session has ended. turn-end: it has
ended a turn since the cursor. What is already true counts.`,
    )
    .action((words: string[]) => wait(app, mergedOptions<Options>(command), words));
}

async function wait(app: App, options: Options, words: readonly string[]): Promise<void> {
  const since = options.since === undefined ? undefined : parseCursor(options.since);
  const goals = parseGoals(options.for ?? [since ? 'turn-end' : 'idle', 'asks', 'exit']);
  if (goals.includes('turn-end') !== (since !== undefined))
    throw new CoiError('usage', '--for turn-end and --since belong together', {
      hint: 'Use the cursor that `coi send --json` prints, or --for idle.',
    });
  const limit = parseTimeLimit(options.timeout);
  const target = sessionTarget(options);
  const containers: Container[] = [];
  for (const word of words.length === 0 ? [undefined] : words)
    containers.push(await namedSession(app, target, word));
  const unique = [...new Map(containers.map((one) => [one.name, one])).values()];
  if (since && unique.length > 1)
    throw new CoiError('usage', '--since is for one session', { hint: 'Name the one.' });
  if (since) for (const container of unique) checkMark(app, container, since);
  const request = { containers: unique, goals, since, any: options.any ?? false, limit };
  await waitForSessions(app, request, ({ container, activity }) => {
    const alias = aliasOf(container);
    const { name } = container;
    if (options.json)
      app.io.printJsonLine({ container: name, alias: alias ?? '', ...activityJson(activity) });
    else app.io.print(oneLine(`${alias ?? name}: ${activityLine(activity)}`));
  });
}

/** Throws `usage`. */
function parseGoals(given: readonly string[]): readonly WaitGoal[] {
  return given
    .flatMap((text) => text.split(','))
    .map((word) => {
      const goal = waitGoals.find((known) => known === word.trim());
      if (goal !== undefined) return goal;
      throw new CoiError('usage', `invalid --for ${quoted(word)}`, {
        hint: `Use one of: ${waitGoals.join(', ')}.`,
      });
    });
}
