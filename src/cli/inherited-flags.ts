// The global flags that are relevant for each command, and their place in its help.
import { type Command, Help, type HelpConfiguration, type Option } from 'commander';
import type { CommandEntry } from './command-module.ts';
import { capitalize, flagTerm, flagText, globalHeading, inheritedHeading } from './help-text.ts';

const workspaceFlags = ['workspace', 'all-users'];
const configFlags = ['workspace', 'profile'];

const relevantFlags: Readonly<Record<string, readonly string[]>> = {
  attach: ['workspace', 'slot', 'all-users'],
  audit: workspaceFlags,
  build: configFlags,
  clean: workspaceFlags,
  config: configFlags,
  container: ['all-users'],
  file: ['all-users'],
  fork: ['workspace', 'slot', 'all-users'],
  handoff: ['workspace'],
  health: configFlags,
  hosts: workspaceFlags,
  info: ['workspace'],
  kill: ['all-users'],
  list: ['all-users'],
  login: ['workspace'],
  logs: workspaceFlags,
  monitor: workspaceFlags,
  network: workspaceFlags,
  persist: workspaceFlags,
  profile: ['workspace'],
  shutdown: ['all-users'],
  snapshot: workspaceFlags,
  tmux: ['all-users'],
  tool: configFlags,
  top: workspaceFlags,
  trust: ['workspace'],
  unfreeze: ['all-users'],
  untrust: ['workspace'],
  validate: configFlags,
};

/** Long names of the flags that the help shows, without dashes; for `coi` itself if there is no command. */
export function visibleFlags(entry: CommandEntry | undefined): 'all' | readonly string[] {
  return entry === undefined || entry.startsSessions ? 'all' : (relevantFlags[entry.name] ?? []);
}

/**
 * The help of a command shows its own flags and the relevant global ones. A command that starts sessions accepts all of
 * them: its help lists their names, and the help of `coi` explains them.
 */
export const helpConfiguration: HelpConfiguration = {
  visibleOptions(command: Command): Option[] {
    const plain = new Help();
    const own = plain.visibleOptions(command).filter((option) => !isNamedOnly(command, option));
    const { parent } = command;
    // For a direct child of `coi` they are among its own.
    if (!parent?.parent) return own;
    return [...own, ...parent.options.filter(({ hidden }) => !hidden)];
  },
  /** Hides the subcommand `help`, since every command has --help. */
  visibleCommands(command: Command): Command[] {
    const shown = new Help().visibleCommands(command);
    return command.parent ? shown.filter((inner) => inner.name() !== 'help') : shown;
  },
  optionTerm: flagTerm,
  optionDescription: flagText,
  argumentDescription: (argument) => capitalize(new Help().argumentDescription(argument)),
  subcommandDescription: (command) => capitalize(new Help().subcommandDescription(command)),
  commandDescription: (command) => capitalize(new Help().commandDescription(command)),
  /** Global flags come last. */
  groupItems<T extends Command | Option>(
    unsorted: T[],
    visible: T[],
    groupOf: (item: T) => string,
  ): Map<string, T[]> {
    const groups = new Help().groupItems(unsorted, visible, groupOf);
    const isAbove = (name: string) => name === inheritedHeading || name === globalHeading;
    const all = [...groups];
    return new Map([
      ...all.filter(([name]) => !isAbove(name)),
      ...all.filter(([name]) => isAbove(name)),
    ]);
  },
};

/** The global flags that a command which starts sessions lists by name. */
export function globalFlagNames(command: Command): string {
  const names = command.options
    .filter((option) => isNamedOnly(command, option))
    .map(({ short, long }) => [short, long].filter(Boolean).join(', '));
  const lines = ['Other options, explained in `coi --help`:'];
  for (const name of names) {
    const last = lines.at(-1) ?? '';
    if (lines.length > 1 && last.length + name.length < 78)
      lines[lines.length - 1] = `${last}  ${name}`;
    else lines.push(`  ${name}`);
  }
  return `\n${lines.join('\n')}`;
}

function isNamedOnly({ parent }: Command, { hidden, helpGroupHeading }: Option): boolean {
  return parent !== null && !hidden && helpGroupHeading === globalHeading;
}
