// What a command file exports, and what the tree says about it before it is loaded.
import type { Command } from 'commander';
import type { App } from './app.ts';

/** A command file: adds its arguments, options, help texts and action to the command that the tree made. */
export interface CommandFile {
  readonly register: (command: Command, app: App, tree: readonly Branch[]) => void;
}

export interface Branch {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly group: 'Sessions' | 'Host' | 'Images' | 'Configuration' | 'Low level' | 'Other';
  readonly hidden?: boolean;
  /** Its subcommands and what they do: completion is asked for at every Tab, and does not load the command to find them. */
  readonly below?: Readonly<Record<string, string>>;
  /** Starts sessions, which is what the flags of every command are about: its help shows them too. */
  readonly starts?: boolean;
  readonly load: () => Promise<CommandFile>;
}

/** The flags that every command takes, before or after its name. */
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
  /** `name=value` of flags that became keys (config/keys/old-flags.ts). */
  oldFlag?: string[];
  network?: string;
  debug?: boolean;
  allUsers?: boolean;
}
