// What coi has to know about an agent. One file per agent, all data; a user's own come from [tools.NAME].
import type { LoginFile } from '../logins/formats/login.ts';
import type { FittedSettings } from './claude-settings.ts';
import type { InsideFacts } from './shell-paths.ts';

export interface ToolLaunch {
  readonly sessionId: string;
  readonly conversation: Conversation;
  readonly permissionMode: 'bypass' | 'interactive';
  /** Home of the agent's user and the workspace, as paths in the container. */
  readonly home: string;
  readonly workspace: string;
  readonly model?: string | undefined;
  readonly effort?: string | undefined;
  /** Program instead of the usual one (`[tool] binary`). */
  readonly binary?: string | undefined;
  /** Names of the variables that the session gets: a login may come through one of them. */
  readonly variables?: readonly string[];
  /** Ends of forwarded keys, for a tool that wants each key to be approved (`keyTails`). */
  readonly keyTails?: readonly string[];
  /** Commit messages must not advertise the agent. */
  readonly plainCommits?: boolean;
}

export type Conversation =
  | { readonly kind: 'new' }
  /** `id` is the tool's own, where one was found; without it the tool picks its newest. */
  | { readonly kind: 'resume'; readonly id?: string | undefined };

/** A file of the host user's home that a new session starts with, if it exists. */
export interface Seed {
  /** Relative to the host user's home, and to the home in the container (the store mirrors it). */
  readonly from: string;
  readonly to: string;
  /** Credentials are kept 0600, replaced only by newer ones, and also refreshed when resuming; never taken back. */
  readonly kind: 'credential' | 'settings' | 'context';
  /** Of a JSON file only these top-level keys: the rest is not the agent's business. */
  readonly keys?: readonly string[];
  /** Of a JSON file those top-level tables whose entries are named to the user as left out, with the words for them. */
  readonly leftOut?: { readonly key: string; readonly title: string };
  /** Programs that a JSON file names are looked for in the session; what would fail is left out. */
  readonly fit?: FitSettings;
}

export interface FitSettings {
  readonly fitted: (
    settings: Readonly<Record<string, unknown>>,
    facts: InsideFacts,
  ) => FittedSettings;
  /** Files of that directory of the home that the settings name, relative to it. */
  readonly named: (
    settings: Readonly<Record<string, unknown>>,
    hostHome: string,
    directory: string,
  ) => readonly string[];
}

/** Files of the user's own that a new session gets copies of. */
export interface Carry {
  /** The agent's directory, relative to the home. */
  readonly directory: string;
  /** Files and directories in it, where configuration names no others. */
  readonly names: readonly string[];
  /** Of these, parts come where the whole is too much: how many directories below the name a part lies. */
  readonly parts?: Readonly<Record<string, number>>;
  /** The user's instructions take files of the directory in by `@path`: those are carried as well. */
  readonly imports?: boolean;
  /** JSON files among them in which paths of the user's home are written, and mean those of the container's home. */
  readonly withPaths?: readonly string[];
  /** Files that are not carried even if configuration names them: logins, which come in their own way. */
  readonly never?: readonly string[];
}

/** Keys that coi needs in a JSON settings file of the tool; the user's own stay. One level deep, below the table `at`. */
export interface SettingsMerge {
  readonly path: string;
  readonly at?: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  /** Only where the tool can log in by itself, so that its login screen is not skipped in vain. */
  readonly onlyWithLogin?: boolean;
}

/** Files in which a tool keeps its conversations: below `dir` (relative to the home), at most `depth` directories down. */
export interface ConversationFiles {
  readonly dir: string;
  readonly depth: number;
  /** What their names end with. */
  readonly suffix: string;
}

/** Where a tool keeps what was said, and how its user's first words are found in the beginning of such a file. */
export interface FirstWords {
  readonly files: ConversationFiles;
  readonly words: (head: string) => string | undefined;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  /** `sessions-<name>` under ~/.coi. */
  readonly sessionsDir: string;
  /** Directories relative to the home in which the tool keeps its state: each becomes a mount. */
  readonly stateDirs: readonly string[];
  readonly seeds: readonly Seed[];
  readonly carry?: Carry;
  /** Its logins, which are the same for all sessions of a user. */
  readonly login?: LoginFile;
  readonly command: (launch: ToolLaunch) => readonly string[];
  /** Runs one prompt, which comes on its stdin, and ends; undefined where the tool cannot. */
  readonly headless?: (launch: ToolLaunch) => readonly string[];
  /** Goes on with the newest conversation that is there; where not given, `command` does when it is told no id. */
  readonly again?: (launch: ToolLaunch) => readonly string[];
  /** Lines of bash before the tool starts; they may export variables, and keep nothing from starting. */
  readonly beforeStart?: readonly string[];
  /** Nothing secret: for that there are seeds and forwarded variables. */
  readonly environment: (launch: ToolLaunch) => Readonly<Record<string, string>>;
  readonly settings: (launch: ToolLaunch) => readonly SettingsMerge[];
  /** Variables that log the tool in. */
  readonly loginVariables?: readonly string[];
  /** Where the tool reads instructions from, relative to the home; the text goes between coi's markers. */
  readonly contextFile?: string;
  readonly conversations?: ConversationFiles;
  /** Undefined where its format is not known. */
  readonly firstWords?: FirstWords;
  /** Its conversations have the ids that coi gave them, and their files need not tell. */
  readonly idsAreOurs?: boolean;
  /** Finds the newest conversation in a stored state, given a listing of its files (path relative to the home, mtime). */
  readonly newestConversation?: (
    files: readonly StoredFile[],
    workspace: string,
  ) => string | undefined;
}

export interface StoredFile {
  readonly path: string;
  readonly modifiedMs: number;
}

/** The newest of those files whose `id` is found. */
export function newestOf(
  files: readonly StoredFile[],
  id: (path: string) => string | undefined,
): string | undefined {
  let newest: { id: string; modifiedMs: number } | undefined;
  for (const file of files) {
    const found = id(file.path);
    if (found !== undefined && (!newest || file.modifiedMs > newest.modifiedMs))
      newest = { id: found, modifiedMs: file.modifiedMs };
  }
  return newest?.id;
}
