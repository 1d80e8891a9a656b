// `coi paste`: sends the clipboard image or files to the agent of a session.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { agentReach } from '../../../app/files/agent-reach.ts';
import { pasteFiles } from '../../../app/files/paste-files.ts';
import { maxMiB, readPasted } from '../../../app/files/paste-sources.ts';
import { selectRunning } from '../../../app/targets/running-session.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { parseContainerName, quoted, tmuxSession } from '../../../names.ts';
import { workspacePath } from '../../../session/plan/workspace.ts';
import { findContainer } from '../../../session/record/find-container.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';

interface Options extends GlobalOptions {
  name?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session-or-file...]',
      'session name or alias (default: the only one), then files (- for stdin); without files, the clipboard image',
    )
    .option('--name <name>', 'name of the file in the session (required for -)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `\nFiles (at most ${maxMiB} MiB) are copied to ~/drop in the session, and their paths are typed into the agent's input without
Enter. Nothing is typed while a dialog of the agent waits for an answer. The paths are printed.
The first word is a session if it names one; ./WORD is always a file.`,
    )
    .action((words: string[]) => paste(app, mergedOptions<Options>(command), words));
}

async function paste(app: App, options: Options, words: readonly string[]): Promise<void> {
  const own = await ownContainers(app, options);
  const { session, files } = splitArguments(app, own, words);
  if (options.name !== undefined && files.length > 1)
    throw new CoiError('usage', '--name needs a single file', { hint: 'Omit it.' });
  const { found, live } = await selectRunning(app, sessionTarget(options), session, own);
  if (!found)
    throw new CoiError(
      'session-not-found',
      live.length === 0 ? 'no session is running' : `${live.length} sessions are running`,
      {
        hint:
          live.length === 0
            ? 'Run `coi shell` to start one.'
            : `Name one: ${live.map(({ name, session }) => session?.alias ?? name).join(', ')}.`,
      },
    );
  const reach = await agentReach(app, found.instance);
  const pieces = await readPasted(app, files, { name: options.name, reach, stdin: app.io.stdin });
  const { typed, paths } = await pasteFiles(app, found, pieces);
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

/** Splits the words into session and files. Throws `usage` if the first word is ambiguous or unknown. */
function splitArguments(
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
    throw new CoiError('usage', `${quoted(first)} is both a session and a file`, {
      hint: `Write ./${first} for the file.`,
    });
  if (isFile) return { session: undefined, files: words };
  if (isSession) return { session: first, files: rest };
  throw new CoiError('usage', `no session or file named ${quoted(first)}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}
