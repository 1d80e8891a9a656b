// coi paste: the clipboard's image, or files, for the agent of a session to look at.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { agentPlaces } from '../../../app/files/agent-places.ts';
import { put } from '../../../app/files/paste-put.ts';
import { maxMiB, read } from '../../../app/files/paste-sources.ts';
import { sessionMeant } from '../../../app/targets/running-session.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { parseContainerName, quoted, tmuxSession } from '../../../names.ts';
import { workspacePath } from '../../../session/plan/workspace.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { findContainer } from '../../../session/record/lookup.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';

interface Options extends GlobalOptions {
  name?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session-or-file...]',
      'name or alias of a session (default: the only one), then files, - for stdin; without files the image of the clipboard',
    )
    .option('--name <name>', 'what the file is called inside; for - it is needed')
    .option('--json', 'print what was pasted as JSON')
    .addHelpText(
      'after',
      `\nThe files are put into ~/drop of the session, at most ${maxMiB} MiB, and their paths are typed into the agent's input,
without Enter; nothing is typed while a dialog of the agent waits for an answer. The paths are printed.
The first word is a session if it names one; ./WORD is always a file.`,
    )
    .action((words: string[]) => paste(app, flagsOf<Options>(command), words));
}

async function paste(app: App, options: Options, words: readonly string[]): Promise<void> {
  const own = await ownContainers(app, options);
  const { session, files } = parted(app, own, words);
  if (options.name !== undefined && files.length > 1)
    throw new CoiError('usage', '--name is for one file', { hint: 'Leave it out.' });
  const { found, live } = await sessionMeant(app, sessionTarget(options), session, own);
  if (!found)
    throw new CoiError(
      'session-not-found',
      live.length === 0 ? 'no session is running' : `${live.length} sessions are running`,
      {
        hint:
          live.length === 0
            ? '`coi shell` starts one.'
            : `Say which: ${live.map(({ name, session }) => session?.alias ?? name).join(', ')}.`,
      },
    );
  const reach = await agentPlaces(app, found.instance);
  const pieces = await read(app, files, { name: options.name, reach, stdin: app.io.stdin });
  const { typed, paths } = await put(app, found, pieces);
  if (options.json) {
    app.io.printJson({
      container: found.name,
      session: tmuxSession(parseContainerName(found.name)),
      typed,
      files: pieces.map(({ local, bytes }, at) => ({
        path: paths[at] ?? '',
        local,
        bytes: bytes.length,
      })),
    });
  } else app.io.print(paths.join('\n'));
}

/** Which word is a session. Throws `usage` where it is not clear. */
function parted(
  app: App,
  own: readonly Container[],
  words: readonly string[],
): { session: string | undefined; files: readonly string[] } {
  const [first, ...rest] = words;
  if (first === undefined || first === '-' || first.includes('/'))
    return { session: undefined, files: words };
  const isFile = existsSync(workspacePath(app.cwd, first));
  const isSession = first.startsWith(app.prefix) || findContainer(app, own, first) !== undefined;
  if (isFile && isSession)
    throw new CoiError('usage', `${quoted(first)} is a session and a file`, {
      hint: `Write ./${first} for the file.`,
    });
  if (isFile) return { session: undefined, files: words };
  if (isSession) return { session: first, files: rest };
  throw new CoiError('usage', `there is no session and no file ${quoted(first)}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}
