// Runs a command line: argv → command → outcome → exit status. Errors are printed here only.
import { Command, CommanderError } from 'commander';
import { CoiError, ExitStatus, exitStatusOf } from '../errors.ts';
import { FileError } from '../host/fs/file-error.ts';
import { summaryLine } from '../version.ts';
import { type App, makeApp } from './app.ts';
import type { CommandEntry } from './command-module.ts';
import { commandTree } from './command-tree.ts';
import { addGlobalOptions, commandName, normalizeArguments } from './global-options.ts';
import { globalFlagNames, helpConfiguration, visibleFlags } from './inherited-flags.ts';
import { findCommand, helpToFlag, requireKnownCommand, usageError } from './usage-error.ts';

/** Runs one command line and returns the exit status. */
export async function main(words: readonly string[]): Promise<number> {
  const argv = helpToFlag(words);
  // Arguments after `--` belong to the command to run.
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const wantsJson =
    own.some((word) => ['--json', '--json=true', '--format=json'].includes(word)) ||
    own.join(' ').includes('--format json');
  let app: App | undefined;
  let program: Command | undefined;
  try {
    const verbose = own.some((word) => word === '--verbose' || word === '--verbose=true');
    app = makeApp(process, { verbose });
    program = await buildProgram(argv, app);
    program.hook('preAction', () => enterGroup(commandName(argv) ?? 'shell'));
    await program.parseAsync(normalizeArguments(argv), { from: 'user' });
    return 0;
  } catch (error) {
    const context = { app, json: wantsJson, debug: false, command: commandName(argv) };
    if (error instanceof CommanderError && program) {
      if (error.exitCode === 0 || error.code === 'commander.help') return 0;
      return report(usageError(error, findCommand(program, own)), context);
    }
    return report(error, { ...context, debug: argv.includes('--debug') });
  } finally {
    await app?.close();
  }
}

const commandsWithoutIncus: readonly string[] = [
  ...[
    'version',
    'completion',
    'help',
    '__complete',
    '__keep-logins',
    '__suspect',
    '__watch-sessions',
  ],
  ...['schema', 'validate', 'update', 'migrate'],
];

/** Switches to the group incus-admin if the login session does not have it yet, unless Incus is not needed. */
async function enterGroup(word: string): Promise<void> {
  if (commandsWithoutIncus.includes(word)) return;
  const [{ enterGroupFor }, { incusSocketPath }] = await Promise.all([
    import('../host/process/group-entry.ts'),
    import('../incus/open.ts'),
  ]);
  try {
    enterGroupFor(incusSocketPath(process.env), 'incus-admin', process);
  } catch (error) {
    // These two report it among their checks.
    if (word !== 'setup' && word !== 'health') throw error;
  }
}

/** The command tree with only the requested command loaded: loading all of them would slow down the start. */
async function buildProgram(argv: readonly string[], app: App): Promise<Command> {
  const output = {
    writeOut: (text: string) => app.io.print(text.trimEnd()),
    // The help of a command that only has subcommands: most likely what the user wants.
    writeErr: (text: string) => app.io.print(text.trimEnd()),
    outputError: () => {},
  };
  const program = new Command('coi')
    .description('Run every AI coding agent in its own Linux container')
    .version(summaryLine(app.version), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(output)
    .configureHelp(helpConfiguration)
    .showSuggestionAfterError()
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .summary('Show help for a command')
        .helpGroup('Other:'),
    )
    .addHelpText(
      'after',
      '\nRun `coi` alone to start or resume work in the current directory, and `coi help COMMAND` for help on a command.',
    );
  addGlobalOptions(program);
  const wanted =
    commandName(argv) ??
    (argv.some((word) => ['-h', '--help', '--version'].includes(word)) ? undefined : 'shell');
  requireKnownCommand(wanted, commandTree);
  const isWanted = ({ name, aliases }: CommandEntry) =>
    name === wanted || aliases?.includes(wanted ?? '') === true;
  // The other commands are needed for the list of commands only; creating them takes some milliseconds.
  for (const entry of wanted === undefined ? commandTree : commandTree.filter(isWanted)) {
    const command = new Command(entry.name)
      .summary(entry.summary)
      .description(entry.summary)
      .exitOverride()
      .configureOutput(output);
    command
      .aliases([...(entry.aliases ?? [])])
      .helpOption('-h, --help', 'show help')
      .helpGroup(`${entry.group}:`);
    if (isWanted(entry)) {
      command.configureHelp(helpConfiguration);
      if (entry.startsSessions) command.addHelpText('after', () => globalFlagNames(command));
      (await entry.load()).register(command, app, commandTree);
      addGlobalOptions(command, visibleFlags(entry));
    }
    program.addCommand(command, {
      hidden: entry.hidden ?? false,
      isDefault: entry.name === 'shell' && commandName(argv) === undefined,
    });
  }
  return program;
}

/** An unusable file is not a bug: it is reported to the user, wherever it was found. */
function toCoiError(error: FileError): CoiError {
  return new CoiError('failed', error.message, { cause: error });
}

interface ReportContext {
  readonly app: App | undefined;
  readonly json: boolean;
  readonly debug: boolean;
  /** Name of the command that failed. */
  readonly command: string | undefined;
}

/** Prints the error and returns the exit status for it. */
function report(error: unknown, telling: ReportContext): number {
  if (error instanceof ExitStatus) return error.status;
  const { app, json, debug, command } = telling;
  const tell = (text: string) => (app ? app.io.info(text) : process.stderr.write(`${text}\n`));
  if (error instanceof FileError) return report(toCoiError(error), telling);
  if (error instanceof CoiError) {
    if (json)
      tell(
        JSON.stringify({
          error: {
            code: error.code,
            message: error.message,
            ...(error.hint ? { hint: error.hint } : {}),
          },
        }),
      );
    else tell(`Error: ${error.message}${error.hint ? `\nHint: ${error.hint}` : ''}`);
    if (debug && error.cause)
      tell(String(error.cause instanceof Error ? error.cause.stack : error.cause));
    return exitStatusOf(error, command);
  }
  const { code, cause } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'EPIPE') return 0;
  // Node wraps the reason of an aborted signal.
  if (code === 'ABORT_ERR' && cause instanceof CoiError) return report(cause, telling);
  const text = error instanceof Error ? error.message : String(error);
  tell(`Error: ${text}\nHint: Run it again with --debug for a stack trace; this is a bug in coi.`);
  if (debug && error instanceof Error) tell(error.stack ?? '');
  return exitStatusOf(new CoiError('failed', text), command);
}
