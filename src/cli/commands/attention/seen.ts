// `coi seen`: marks sessions as looked at.
import type { Command } from 'commander';
import { markSeen } from '../../../app/events/viewers.ts';
import { namedSession } from '../../../app/targets/named-session.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import type { SessionId } from '../../../names.ts';
import { pluralize } from '../../../pluralize.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';

interface Options extends GlobalOptions {
  all?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[session...]', 'names or aliases')
    .option('--all', 'all sessions')
    .addHelpText(
      'after',
      '\n`coi list` shows a session whose agent has ended its turn as finished until you look at it or mark it as seen.',
    )
    .action((words: string[]) => seen(app, mergedOptions<Options>(command), words));
}

async function seen(app: App, options: Options, words: readonly string[]): Promise<void> {
  if ((words.length === 0) !== (options.all === true))
    throw new CoiError('usage', 'name sessions, or use --all', {
      hint: 'Run `coi list` to see your sessions.',
    });
  const containers = options.all
    ? await ownContainers(app, options)
    : await namedAll(app, options, words);
  let marked = 0;
  for (const { session } of containers) {
    if (session?.owner !== app.user.uid) continue;
    mark(app, session.session);
    marked += 1;
  }
  app.io.print(`Marked ${pluralize(marked, 'session')} as seen`);
}

function mark(app: App, session: SessionId): void {
  try {
    markSeen(app, session);
  } catch (error) {
    const problem = hostFiles.asFileError(error);
    if (!problem) throw error;
    throw new CoiError('failed', `the session cannot be marked: ${problem.message}`, {
      hint: 'Check the free space and the permissions of ~/.coi/events.',
    });
  }
}

async function namedAll(
  app: App,
  options: Options,
  words: readonly string[],
): Promise<readonly Container[]> {
  const found: Container[] = [];
  for (const word of words) found.push(await namedSession(app, sessionTarget(options), word));
  return found;
}
