// The global flags, and the search for the command name among them.
import type { Command } from 'commander';
import { Option } from 'commander';
import { parseOldFlag, valuedOldFlags } from '../config/keys/old-flags.ts';
import type { GlobalOptions } from './command-module.ts';
import { globalHeading, inheritedHeading } from './help-text.ts';

/** For options that can be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Long and short names of the flags before the command that take a value. */
const flagsWithValue = new Set([
  '-w',
  '--workspace',
  '--slot',
  '--profile',
  '--image',
  '-e',
  '--env',
  '--env-file',
  '--mount',
  '--network',
  '--tool',
  '--branch',
  '--from',
  ...valuedOldFlags,
]);

/** `shown`: the flags that the help lists: all for `coi` itself and commands that start sessions, else the relevant ones. */
export function addGlobalOptions(
  command: Command,
  shown: 'all' | readonly string[] = command.name() === 'coi' ? 'all' : [],
): void {
  const option = (flags: string, text: string) => {
    const made = new Option(flags, text);
    return shown === 'all'
      ? made.helpGroup(globalHeading)
      : made.helpGroup(inheritedHeading).hideHelp(!shown.includes(made.long?.slice(2) ?? ''));
  };
  command
    .addOption(
      option('-w, --workspace <path>', 'directory of the session (default: the current one)'),
    )
    .addOption(
      option(
        '--slot <n>',
        'slot of the session, 1 to 99 (default for a new one: the lowest free slot of 1 to 10)',
      ),
    )
    .addOption(
      option(
        '--resume [=id]',
        'resume the newest session of the workspace, or the one with this id',
      ).preset('auto'),
    )
    .addOption(option('--continue [=id]', 'same as --resume').preset('auto'))
    .addOption(option('--profile <name>', 'profile to use'))
    .addOption(option('--image <name>', 'image of the container'))
    .addOption(option('--persistent', 'keep the container when the session ends'))
    .addOption(
      option(
        '--no-persistent',
        'delete the container when the session ends, even if the configuration keeps it',
      ),
    )
    .addOption(
      option(
        '-e, --env <NAME[=value]>',
        'environment variable for the agent; NAME alone passes its current value (repeatable)',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      option('--env-file <path>', 'file of NAME=value lines for the agent (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      option('--mount <host:container>', 'extra directory to mount (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(option('--network <mode>', 'network mode: restricted, allowlist or open'))
    .addOption(
      new Option('--old-flag <name=value>').argParser(collect).default([], 'none').hideHelp(),
    )
    .addOption(option('--all-users', 'act on the sessions of every user (root only)'))
    .addOption(
      option(
        '--debug',
        'show a stack trace of errors; with `coi shell`: start bash instead of the agent',
      ),
    );
  // `coi health` has its own --verbose, which does more.
  if (command.name() !== 'health')
    command.addOption(option('--verbose', 'show every step, also on a terminal'));
}

/**
 * Merges the flags of a command with those before its name: those after the name win, lists are joined.
 * (In commander's optsWithGlobals an empty list before the name replaces the list of the command.)
 */
export function mergedOptions<T extends GlobalOptions>(command: Command): T {
  const above: Partial<GlobalOptions> = command.parent?.opts() ?? {};
  const own = command.opts<T>();
  const env = [...(above.env ?? []), ...own.env];
  const envFile = [...(above.envFile ?? []), ...(own.envFile ?? [])];
  const mount = [...(above.mount ?? []), ...own.mount];
  const oldFlag = [...(above.oldFlag ?? []), ...(own.oldFlag ?? [])];
  return { ...above, ...own, env, envFile, mount, oldFlag };
}

/** The first word of the command line that is neither a flag nor the value of one: the command, if it exists. */
export function commandName(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return undefined;
    if (!word.startsWith('-')) return word;
    if (flagsWithValue.has(word)) i++;
  }
  return undefined;
}

/** Number of words that are neither a flag nor the value of one of these flags, the command included. */
export function countArguments(argv: readonly string[]): number {
  return argv.filter(
    (word, at) => !word.startsWith('-') && (at === 0 || !flagsWithValue.has(argv[at - 1] ?? '')),
  ).length;
}

/**
 * Rewrites the words for commander: a bare --resume never takes the next word as its id (an id needs `=`), switches
 * accept `--switch=true|false` as in the predecessor, and removed flags become `--old-flag`.
 */
export function normalizeArguments(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const [flags, rest] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const words: string[] = [];
  for (let at = 0; at < flags.length; at++) {
    const word = flags[at] ?? '';
    const old = parseOldFlag(word, flags[at + 1]);
    if (old) {
      words.push('--old-flag', old.given);
      at += old.taken - 1;
    } else words.push(...normalizeWord(word));
  }
  return [...words, ...rest];
}

function normalizeWord(word: string): string[] {
  if (word === '--resume' || word === '--continue') return [`${word}=auto`];
  const [, name, value] =
    /^--(tmux|persistent|background|debug|force|all|json|verbose|capture|tty)=(true|false)$/.exec(
      word,
    ) ?? [];
  if (name === undefined) return [word];
  if (value === 'true') return name === 'tmux' ? [] : [`--${name}`];
  return name === 'tmux' || name === 'persistent' ? [`--no-${name}`] : [];
}
