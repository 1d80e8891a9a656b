// Which of the flags that every command takes mean something for one, and how its help shows them.
import { type Command, Help, type HelpConfiguration, type Option } from 'commander';
import type { Branch } from './command-module.ts';
import { capital, flagTerm, flagText, globalFlags, inherited } from './help-text.ts';

const here = ['workspace', 'all-users'];
const configured = ['workspace', 'profile'];

const flags: Readonly<Record<string, readonly string[]>> = {
  attach: ['workspace', 'slot', 'all-users'],
  audit: here,
  build: configured,
  clean: here,
  config: configured,
  container: ['all-users'],
  file: ['all-users'],
  fork: ['workspace', 'slot', 'all-users'],
  handoff: ['workspace'],
  health: configured,
  hosts: here,
  info: ['workspace'],
  kill: ['all-users'],
  list: ['all-users'],
  login: ['workspace'],
  logs: here,
  monitor: here,
  network: here,
  persist: here,
  profile: ['workspace'],
  shutdown: ['all-users'],
  snapshot: here,
  tmux: ['all-users'],
  tool: configured,
  top: here,
  trust: ['workspace'],
  unfreeze: ['all-users'],
  untrust: ['workspace'],
  validate: configured,
};

/** Their long names, without the dashes; without a command those of `coi` itself. */
export function shownFlags(branch: Branch | undefined): 'all' | readonly string[] {
  return branch === undefined || branch.starts ? 'all' : (flags[branch.name] ?? []);
}

/**
 * The help of a command shows its own flags and those from above that are shown there. What starts sessions takes all of
 * them: there they are named, and explained in the help of `coi`.
 */
export const helpConfiguration: HelpConfiguration = {
  visibleOptions(command: Command): Option[] {
    const plain = new Help();
    const own = plain.visibleOptions(command).filter((option) => !isNamedOnly(command, option));
    const { parent } = command;
    // Those of `coi` itself are among the command's own.
    if (!parent?.parent) return own;
    return [...own, ...parent.options.filter(({ hidden }) => !hidden)];
  },
  /** Subcommands are listed without the one for help, as every command has its flag. */
  visibleCommands(command: Command): Command[] {
    const shown = new Help().visibleCommands(command);
    return command.parent ? shown.filter((inner) => inner.name() !== 'help') : shown;
  },
  optionTerm: flagTerm,
  optionDescription: flagText,
  argumentDescription: (argument) => capital(new Help().argumentDescription(argument)),
  subcommandDescription: (command) => capital(new Help().subcommandDescription(command)),
  commandDescription: (command) => capital(new Help().commandDescription(command)),
  /** What comes from above stands last. */
  groupItems<T extends Command | Option>(
    unsorted: T[],
    visible: T[],
    groupOf: (item: T) => string,
  ): Map<string, T[]> {
    const groups = new Help().groupItems(unsorted, visible, groupOf);
    const isAbove = (name: string) => name === inherited || name === globalFlags;
    const all = [...groups];
    return new Map([
      ...all.filter(([name]) => !isAbove(name)),
      ...all.filter(([name]) => isAbove(name)),
    ]);
  },
};

/** Behind the flags of what starts sessions. */
export function namedFlags(command: Command): string {
  const names = command.options
    .filter((option) => isNamedOnly(command, option))
    .map(({ short, long }) => [short, long].filter(Boolean).join(', '));
  const lines = ['Also, explained in `coi --help`:'];
  for (const name of names) {
    const last = lines.at(-1) ?? '';
    if (lines.length > 1 && last.length + name.length < 78)
      lines[lines.length - 1] = `${last}  ${name}`;
    else lines.push(`  ${name}`);
  }
  return `\n${lines.join('\n')}`;
}

function isNamedOnly({ parent }: Command, { hidden, helpGroupHeading }: Option): boolean {
  return parent !== null && !hidden && helpGroupHeading === globalFlags;
}
