// The interface of a command file, and its entry in the command tree.
import type { Command } from 'commander';
import type { App } from './app.ts';

/** A command file: adds arguments, options, help texts and the action to the command from the tree. */
export interface CommandModule {
  readonly register: (command: Command, app: App, tree: readonly CommandEntry[]) => void;
}

export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly group: 'Sessions' | 'Host' | 'Images' | 'Configuration' | 'Low level' | 'Other';
  readonly hidden?: boolean;
  /** Its subcommands and their summaries, so that completion does not load the command at every Tab. */
  readonly subcommands?: Readonly<Record<string, string>>;
  /** Starts sessions: its help also lists the global flags, which describe a session. */
  readonly startsSessions?: boolean;
  readonly load: () => Promise<CommandModule>;
}

/** The flags that every command accepts, before or after its name. */
export interface GlobalOptions {
  workspace: string;
  slot?: string;
  resume?: string | true;
  continue?: string | true;
  profile?: string;
  image?: string;
  persistent?: boolean;
  env: string[];
  envFile?: string[];
  mount: string[];
  /** `name=value` of removed flags that are configuration keys now (config/keys/old-flags.ts). */
  oldFlag?: string[];
  network?: string;
  debug?: boolean;
  allUsers?: boolean;
}
