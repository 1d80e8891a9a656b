// What was wrong with a command line, in the words of every other error of coi, and what was probably meant.
import type { Command, CommanderError } from 'commander';
import { nearest } from '../config/suggest.ts';
import { CoiError } from '../errors.ts';
import type { Branch } from './command-module.ts';
import { commandWord } from './global-options.ts';

/** `help A B` as `A B --help`, which tells of what is below a command too. */
export function helpAsFlag(argv: readonly string[]): readonly string[] {
  if (commandWord(argv) !== 'help') return argv;
  const at = argv.indexOf('help');
  if (argv[at + 1] === 'help') return [...argv.slice(0, at), '--help'];
  return [...argv.slice(0, at), ...argv.slice(at + 1), '--help'];
}

/** Throws `usage` for a first word that is no command: commander would answer `coi NONSENSE --help` with the help of coi. */
export function knownCommand(word: string | undefined, tree: readonly Branch[]): void {
  const names = tree.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
  if (word === undefined || names.includes(word)) return;
  const shown = tree.filter(({ hidden }) => !hidden).map(({ name }) => name);
  const message = `unknown command '${word.slice(0, 80)}'`;
  throw new CoiError('usage', message, {
    hint: hint(nearest(word, [...shown, 'help']), 'coi --help'),
  });
}

/** The error of commander as one of ours. `command` is the one whose line it was. */
export function usageError(error: CommanderError, command: Command): CoiError {
  const [sentence = '', suggestion] = error.message.split('\n');
  const plain = sentence.replace(/^error: /, '').trim();
  const message = (command && wrongCount(error, command)) ?? knownWords(plain);
  const meant = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(suggestion ?? '')?.[1];
  return new CoiError('usage', message, {
    hint: hint(meant ?? nearestFlag(plain, command), helpOf(command)),
  });
}

/** As the predecessor said it: its users' scripts look for these words. */
function knownWords(message: string): string {
  return message
    .replace(/^unknown option '(--[^'=]+).*'$/, 'unknown flag: $1')
    .replace(/^required option '(?:-., )?(--[a-z-]+).*' not specified$/, '$1 is needed')
    .replace(/^unknown option '-(.).*'$/, "unknown shorthand flag: '$1'")
    .replace(/^option '(?:-., )?(--[a-z-]+)[^']*' argument missing$/, 'flag needs an argument: $1')
    .replace(
      /^option '--format <format>' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/,
      "invalid format '$1': must be one of $2",
    )
    .replace(
      /^option '(?:-., )?(--[a-z-]+) [^']*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/,
      "invalid $1 '$2': must be one of $3",
    );
}

/** How many arguments there are and should be, in the predecessor's words; undefined for another mistake. */
function wrongCount({ code, message }: CommanderError, asked: Command): string | undefined {
  // What is below a command is the first word after it.
  const [word] = asked.args;
  const inner = asked.commands.find(
    (one) => one.name() === word || one.aliases().includes(word ?? ''),
  );
  const { registeredArguments: all, args } = inner ?? asked;
  const least = all.filter(({ required }) => required).length;
  if (code === 'commander.excessArguments')
    return `accepts ${least === all.length ? least : `at most ${all.length}`} arg(s), received ${args.length}`;
  if (code !== 'commander.missingArgument') return undefined;
  const [, name = ''] = /'(.+)'/.exec(message) ?? [];
  const isExact = least === all.length && !all.some(({ variadic }) => variadic);
  return isExact
    ? `accepts ${least} arg(s), received ${args.length}: ${name} is missing`
    : `requires at least ${least} arg(s), only received ${args.length}: ${name} is missing`;
}

/** Commander looks only at flags that are shown in the command's help, and takes `--flag=value` for a name. */
function nearestFlag(message: string, command: Command): string | undefined {
  const [, wrong] = /^unknown option '(--[^=']+)/.exec(message) ?? [];
  const all = [command, ...(command.parent ? [command.parent] : [])];
  const flags = all.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
  return wrong === undefined ? undefined : nearest(wrong, flags);
}

/** The command that the words mean, as deep as they are known. */
export function commandMeant(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv) {
    const inner = command.commands.find(
      (one) => one.name() === word || one.aliases().includes(word),
    );
    if (inner) command = inner;
  }
  return command;
}

function helpOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one; one = one.parent) names.unshift(one.name());
  return [...names, '--help'].join(' ');
}

function hint(meant: string | undefined, help: string): string {
  const run = `Run \`${help}\` for more.`;
  return meant === undefined ? run : `Did you mean ${meant}? ${run}`;
}
