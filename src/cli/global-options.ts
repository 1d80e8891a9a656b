// The flags that every command takes, and how the command is found among them.
import type { Command } from 'commander';
import { Option } from 'commander';
import { oldFlag, valuedOldFlags } from '../config/keys/old-flags.ts';
import type { GlobalOptions } from './command-module.ts';
import { globalFlags, inherited } from './help-text.ts';

const collect = (value: string, before: string[]) => [...before, value];

/** Long and short names of the flags above the command that take a value. */
const valued = new Set([
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
  ...valuedOldFlags,
]);

/** `shown`: all of them in the help of `coi` itself and of what starts sessions, elsewhere those that mean something. */
export function addGlobalOptions(
  command: Command,
  shown: 'all' | readonly string[] = command.name() === 'coi' ? 'all' : [],
): void {
  const option = (flags: string, text: string) => {
    const made = new Option(flags, text);
    return shown === 'all'
      ? made.helpGroup(globalFlags)
      : made.helpGroup(inherited).hideHelp(!shown.includes(made.long?.slice(2) ?? ''));
  };
  command
    .addOption(
      option('-w, --workspace <path>', 'directory of the session (default: the current one)'),
    )
    .addOption(
      option(
        '--slot <n>',
        'slot of the session, 1 to 99 (a new one: the lowest free one of 1 to 10)',
      ),
    )
    .addOption(
      option('--resume [=id]', 'resume the newest session of the workspace, or that one').preset(
        'auto',
      ),
    )
    .addOption(option('--continue [=id]', 'the same as --resume').preset('auto'))
    .addOption(option('--profile <name>', 'profile to use'))
    .addOption(option('--image <name>', 'image of the container'))
    .addOption(option('--persistent', 'keep the container when the session ends'))
    .addOption(option('--no-persistent', 'delete it, whatever the configuration says'))
    .addOption(
      option(
        '-e, --env <NAME[=value]>',
        'environment variable for the agent; NAME alone passes on the value it has here (repeatable)',
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
      option('--mount <host:container>', 'extra directory for the container (repeatable)')
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
        'show a trace of each error; in `coi shell`: start bash instead of the agent',
      ),
    );
  // `coi health` has one of its own, which means the same and more.
  if (command.name() !== 'health')
    command.addOption(option('--verbose', 'tell every step, on a terminal too'));
}

/**
 * The flags of a command and those before its name put together: what stands after the name wins, lists are joined.
 * (commander's own optsWithGlobals lets the empty list above win over the filled one of the command.)
 */
export function flagsOf<T extends GlobalOptions>(command: Command): T {
  const above: Partial<GlobalOptions> = command.parent?.opts() ?? {};
  const own = command.opts<T>();
  const env = [...(above.env ?? []), ...own.env];
  const envFile = [...(above.envFile ?? []), ...(own.envFile ?? [])];
  const mount = [...(above.mount ?? []), ...own.mount];
  const oldFlag = [...(above.oldFlag ?? []), ...(own.oldFlag ?? [])];
  return { ...above, ...own, env, envFile, mount, oldFlag };
}

/** The first word of the command line that is no flag and no flag's value: the command, if it is one. */
export function commandWord(argv: readonly string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return undefined;
    if (!word.startsWith('-')) return word;
    if (valued.has(word)) i++;
  }
  return undefined;
}

/** How many words of the command line are neither a flag nor the value of one of these flags: the command is the first. */
export function argumentsIn(argv: readonly string[]): number {
  return argv.filter(
    (word, at) => !word.startsWith('-') && (at === 0 || !valued.has(argv[at - 1] ?? '')),
  ).length;
}

/**
 * The words as commander understands them: a bare --resume never takes the next word as its id (an id needs `=`),
 * switches may be given as `--switch=true|false`, as the predecessor's users do, and flags that became keys count.
 */
export function normalized(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const [flags, rest] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const words: string[] = [];
  for (let at = 0; at < flags.length; at++) {
    const word = flags[at] ?? '';
    const old = oldFlag(word, flags[at + 1]);
    if (old) {
      words.push('--old-flag', old.given);
      at += old.taken - 1;
    } else words.push(...normalWord(word));
  }
  return [...words, ...rest];
}

function normalWord(word: string): string[] {
  if (word === '--resume' || word === '--continue') return [`${word}=auto`];
  const [, name, value] =
    /^--(tmux|persistent|background|debug|force|all|json|verbose|capture|tty)=(true|false)$/.exec(
      word,
    ) ?? [];
  if (name === undefined) return [word];
  if (value === 'true') return name === 'tmux' ? [] : [`--${name}`];
  return name === 'tmux' || name === 'persistent' ? [`--no-${name}`] : [];
}
