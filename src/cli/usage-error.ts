// Errors in a command line, with a suggestion.
import type { Command, CommanderError } from 'commander';
import { nearest } from '../config/suggest.ts';
import { CoiError } from '../errors.ts';
import type { CommandEntry } from './command-module.ts';
import { commandName } from './global-options.ts';

/** Rewrites `help A B` as `A B --help`, which also covers subcommands. */
export function helpToFlag(argv: readonly string[]): readonly string[] {
  if (commandName(argv) !== 'help') return argv;
  const at = argv.indexOf('help');
  if (argv[at + 1] === 'help') return [...argv.slice(0, at), '--help'];
  return [...argv.slice(0, at), ...argv.slice(at + 1), '--help'];
}

/** Throws `usage` if the word is not a command: for `coi NONSENSE --help` commander would print the help of coi. */
export function requireKnownCommand(word: string | undefined, tree: readonly CommandEntry[]): void {
  const names = tree.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
  if (word === undefined || names.includes(word)) return;
  const shown = tree.filter(({ hidden }) => !hidden).map(({ name }) => name);
  const message = `unknown command '${word.slice(0, 80)}'`;
  throw new CoiError('usage', message, {
    hint: hint(nearest(word, [...shown, 'help']), 'coi --help'),
  });
}

/** Converts an error of commander. `command` is the one that was called. */
export function usageError(error: CommanderError, command: Command): CoiError {
  const [sentence = '', suggestion] = error.message.split('\n');
  const plain = sentence.replace(/^error: /, '').trim();
  const message = (command && argumentCountMessage(error, command)) ?? predecessorWording(plain);
  const suggested = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(suggestion ?? '')?.[1];
  return new CoiError('usage', message, {
    hint: hint(suggested ?? nearestFlag(plain, command), helpOf(command)),
  });
}

/** The wording of the predecessor, which scripts match. */
function predecessorWording(message: string): string {
  return message
    .replace(/^unknown option '(--[^'=]+).*'$/, 'unknown flag: $1')
    .replace(/^required option '(?:-., )?(--[a-z-]+).*' not specified$/, '$1 is required')
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

/** The message for a wrong number of arguments, worded as in the predecessor; undefined for other errors. */
function argumentCountMessage(
  { code, message }: CommanderError,
  command: Command,
): string | undefined {
  // A subcommand is the first word after its command.
  const [word] = command.args;
  const inner = command.commands.find(
    (one) => one.name() === word || one.aliases().includes(word ?? ''),
  );
  const { registeredArguments: all, args } = inner ?? command;
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

/** Commander considers only flags in the command's help, and takes `--flag=value` as a name. */
function nearestFlag(message: string, command: Command): string | undefined {
  const [, wrong] = /^unknown option '(--[^=']+)/.exec(message) ?? [];
  const all = [command, ...(command.parent ? [command.parent] : [])];
  const flags = all.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
  return wrong === undefined ? undefined : nearest(wrong, flags);
}

/** The innermost command that the words name. */
export function findCommand(program: Command, argv: readonly string[]): Command {
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

function hint(suggested: string | undefined, help: string): string {
  const run = `Run \`${help}\` for more.`;
  return suggested === undefined ? run : `Did you mean ${suggested}? ${run}`;
}
