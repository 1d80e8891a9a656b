// argv → command → outcome → exit status; the one place that renders an error.
import { Command, CommanderError } from 'commander';
import { CoiError, ExitStatus, exitStatusOf } from '../errors.ts';
import { FileError } from '../host/fs/file-error.ts';
import { summaryLine } from '../version.ts';
import { type App, makeApp } from './app.ts';
import type { Branch } from './command-module.ts';
import { tree } from './command-tree.ts';
import { addGlobalOptions, commandWord, normalized } from './global-options.ts';
import { helpConfiguration, namedFlags, shownFlags } from './inherited-flags.ts';
import { commandMeant, helpAsFlag, knownCommand, usageError } from './usage-error.ts';

/** Runs one command line and returns the exit status. */
export async function main(words: readonly string[]): Promise<number> {
  const argv = helpAsFlag(words);
  // What comes after `--` belongs to the command that is run.
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const wantsJson =
    own.some((word) => ['--json', '--json=true', '--format=json'].includes(word)) ||
    own.join(' ').includes('--format json');
  let app: App | undefined;
  let program: Command | undefined;
  try {
    const verbose = own.some((word) => word === '--verbose' || word === '--verbose=true');
    app = makeApp(process, { verbose });
    program = await programFor(argv, app);
    program.hook('preAction', () => enterGroup(commandWord(argv) ?? 'shell'));
    await program.parseAsync(normalized(argv), { from: 'user' });
    return 0;
  } catch (error) {
    const told = { app, json: wantsJson, debug: false, command: commandWord(argv) };
    if (error instanceof CommanderError && program) {
      if (error.exitCode === 0 || error.code === 'commander.help') return 0;
      return report(usageError(error, commandMeant(program, own)), told);
    }
    return report(error, { ...told, debug: argv.includes('--debug') });
  } finally {
    await app?.close();
  }
}

const withoutIncus: readonly string[] = [
  ...['version', 'completion', 'help', '__complete', '__keep-logins', '__suspect'],
  ...['schema', 'validate', 'update', 'migrate'],
];

/** A login that does not have the group of Incus yet gets it, except where Incus is not needed. */
async function enterGroup(word: string): Promise<void> {
  if (withoutIncus.includes(word)) return;
  const [{ enterGroupFor }, { incusSocketPath }] = await Promise.all([
    import('../host/process/group-entry.ts'),
    import('../incus/open.ts'),
  ]);
  try {
    enterGroupFor(incusSocketPath(process.env), 'incus-admin', process);
  } catch (error) {
    // These two say it in their own words, among the rest.
    if (word !== 'setup' && word !== 'health') throw error;
  }
}

/** The command tree with only the asked-for command loaded: loading all of them would cost start-up time. */
async function programFor(argv: readonly string[], app: App): Promise<Command> {
  const output = {
    writeOut: (text: string) => app.io.print(text.trimEnd()),
    // The help of a command that only has others below it: what was asked for, as far as one can tell.
    writeErr: (text: string) => app.io.print(text.trimEnd()),
    outputError: () => {},
  };
  const program = new Command('coi')
    .description('Every AI coding agent its own real Linux machine')
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
      '\nRun `coi` alone to start or resume work in the current directory; `coi help COMMAND` explains a command.',
    );
  addGlobalOptions(program);
  const wanted =
    commandWord(argv) ??
    (argv.some((word) => ['-h', '--help', '--version'].includes(word)) ? undefined : 'shell');
  knownCommand(wanted, tree);
  const isWanted = ({ name, aliases }: Branch) =>
    name === wanted || aliases?.includes(wanted ?? '') === true;
  // The others are there for the list of commands; making them all takes some milliseconds.
  for (const branch of wanted === undefined ? tree : tree.filter(isWanted)) {
    const command = new Command(branch.name)
      .summary(branch.summary)
      .description(branch.summary)
      .exitOverride()
      .configureOutput(output);
    command
      .aliases([...(branch.aliases ?? [])])
      .helpOption('-h, --help', 'show help')
      .helpGroup(`${branch.group}:`);
    if (isWanted(branch)) {
      command.configureHelp(helpConfiguration);
      if (branch.starts) command.addHelpText('after', () => namedFlags(command));
      (await branch.load()).register(command, app, tree);
      addGlobalOptions(command, shownFlags(branch));
    }
    program.addCommand(command, {
      hidden: branch.hidden ?? false,
      isDefault: branch.name === 'shell' && commandWord(argv) === undefined,
    });
  }
  return program;
}

/** A file that cannot be used is the user's business, wherever it was met. */
function asFailure(error: FileError): CoiError {
  return new CoiError('failed', error.message, { cause: error });
}

interface Telling {
  readonly app: App | undefined;
  readonly json: boolean;
  readonly debug: boolean;
  /** The word of the command that failed. */
  readonly command: string | undefined;
}

/** Says what went wrong and returns the exit status for it. */
function report(error: unknown, telling: Telling): number {
  if (error instanceof ExitStatus) return error.status;
  const { app, json, debug, command } = telling;
  const tell = (text: string) => (app ? app.io.tell(text) : process.stderr.write(`${text}\n`));
  if (error instanceof FileError) return report(asFailure(error), telling);
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
  // What Node's own waits make of the signal's reason.
  if (code === 'ABORT_ERR' && cause instanceof CoiError) return report(cause, telling);
  const text = error instanceof Error ? error.message : String(error);
  tell(`Error: ${text}\nHint: this is a bug in coi; run it again with --debug for a trace.`);
  if (debug && error instanceof Error) tell(error.stack ?? '');
  return exitStatusOf(new CoiError('failed', text), command);
}
