// The description of an agent. Built-in agents have one file each, mostly data; user-defined ones come from [tools.NAME].
import type { Turn } from '../attention/turns/turn.ts';
import type { LoginFile } from '../logins/formats/login.ts';
import type { FittedSettings } from './claude-settings.ts';
import type { ContainerFacts } from './shell-paths.ts';

export interface ToolLaunch {
  readonly sessionId: string;
  readonly conversation: Conversation;
  readonly permissionMode: 'bypass' | 'interactive';
  /** Home of the agent's user and the workspace, as paths in the container. */
  readonly home: string;
  readonly workspace: string;
  readonly model?: string | undefined;
  readonly effort?: string | undefined;
  /** Replaces the usual program (`[tool] binary`). */
  readonly binary?: string | undefined;
  /** Names of the session's variables, one of which may contain a login. */
  readonly variables?: readonly string[];
  /** Last characters of forwarded API keys, for a tool that asks to approve each key (`keyTails`). */
  readonly keyTails?: readonly string[];
  /** Commit messages must not advertise the agent. */
  readonly plainCommits?: boolean;
}

export type Conversation =
  | { readonly kind: 'new' }
  /** `id` is the tool's own conversation id, if one was found; otherwise the tool picks its newest. */
  | { readonly kind: 'resume'; readonly id?: string | undefined };

/** A file of the host user's home that a new session starts with, if it exists. */
export interface Seed {
  /** `from` is relative to the host user's home, `to` to the home in the container (which the store mirrors). */
  readonly from: string;
  readonly to: string;
  /** Credentials have mode 0600, are replaced only by newer ones, also on resume, and are never copied back. */
  readonly kind: 'credential' | 'settings' | 'context';
  /** Only these top-level keys of a JSON file; the agent does not need the rest. */
  readonly keys?: readonly string[];
  /** A top-level table of a JSON file whose entries are reported as left out, with its display name. */
  readonly leftOut?: { readonly key: string; readonly title: string };
  /** Checks that programs in a JSON file exist in the session; entries that would fail are left out. */
  readonly fit?: FitSettings;
}

export interface FitSettings {
  readonly apply: (
    settings: Readonly<Record<string, unknown>>,
    facts: ContainerFacts,
  ) => FittedSettings;
  /** Files below a directory of the home that the settings refer to, relative to that directory. */
  readonly named: (
    settings: Readonly<Record<string, unknown>>,
    hostHome: string,
    directory: string,
  ) => readonly string[];
}

/** The user's files that are copied into a new session. */
export interface Carry {
  /** The agent's directory, relative to the home. */
  readonly directory: string;
  /** Default files and directories in it, if the configuration has none. */
  readonly names: readonly string[];
  /** Names that are copied in parts if the whole is too large: how many directories below the name a part is. */
  readonly parts?: Readonly<Record<string, number>>;
  /** Also carry files that the user's instructions import with `@path`. */
  readonly imports?: boolean;
  /** JSON files in which paths of the user's home are rewritten to the container's home. */
  readonly withPaths?: readonly string[];
  /** Files that are never carried, even if configured: logins, which are handled separately. */
  readonly never?: readonly string[];
}

/** Keys that coi needs in a JSON settings file of the tool; other keys stay. One level deep, below the table `at`. */
export interface SettingsMerge {
  readonly path: string;
  readonly at?: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  /** Only if the tool can log in; otherwise its login screen must not be skipped. */
  readonly onlyWithLogin?: boolean;
  /**
   * For a file of the user's that the tool can do without: arrays get the elements that they lack, and a file that is no
   * JSON object stays as it is.
   */
  readonly adds?: boolean;
}

/** A file of coi in a session, written anew at each start. */
export interface OwnFile {
  /** Relative to the home, in a directory of its own. */
  readonly path: string;
  /** Name of the guest file that it is a copy of (src/session/guest), or its text. */
  readonly content: { readonly guest: string } | { readonly text: string };
}

/** A tool's conversation files: below `dir` (relative to the home), at most `depth` directories down. */
export interface ConversationFiles {
  readonly dir: string;
  readonly depth: number;
  /** The end of their names. */
  readonly suffix: string;
}

/** The location of a tool's conversations, and how to find the user's first words at the start of a file. */
export interface FirstWords {
  readonly files: ConversationFiles;
  readonly words: (head: string) => string | undefined;
}

/** Transcripts that correct status files (attention/turns/turn.ts). */
export interface TurnFiles {
  /** They are somewhere below it; relative to the home. */
  readonly dir: string;
  /** `tail`: the last part of a transcript. */
  readonly read: (tail: string) => Turn;
}

/** Files in which the agent's processes say whether they work, wait or ask (src/attention). */
export interface AgentRegistry {
  /** Relative to the home. */
  readonly dir: string;
  /** Name of its processes, as in /proc/<pid>/comm. */
  readonly process: string;
  /** Contains a directory with transcripts for each project; relative to the home. */
  readonly projects: string;
  /** Path of a conversation's transcript, relative to the home. */
  readonly transcript: (cwd: string, conversation: string) => string;
  /** Directory of its sub-agents' transcripts, relative to the home. */
  readonly subAgents: (cwd: string, conversation: string) => string;
}

/** Keys of an agent, as tmux names them. */
export interface AgentKeys {
  /** Ends the agent's turn. */
  readonly interrupt: string;
  /** Empties the input box. */
  readonly clear: string;
  /** Sends what is in the input box; if absent, only Enter does. */
  readonly submit?: SubmitKeys;
}

/** Unlike Enter, these keys do nothing in a dialog. */
export interface SubmitKeys {
  readonly keys: string;
  /** What makes the agent know them. */
  readonly binding: SettingsMerge;
  /** Whether a text of that file contains the binding. */
  readonly isBound: (text: string) => boolean;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  /** `sessions-<name>` under ~/.coi. */
  readonly sessionsDir: string;
  /** The tool's state directories, relative to the home; each becomes a mount. */
  readonly stateDirs: readonly string[];
  /** Where its processes say what they do in status files; relative to the home, in a state directory. */
  readonly statusDir?: string;
  readonly turns?: TurnFiles;
  readonly seeds: readonly Seed[];
  readonly carry?: Carry;
  /** Its login, shared by all sessions of a user. */
  readonly login?: LoginFile;
  readonly command: (launch: ToolLaunch) => readonly string[];
  /** Runs one prompt from stdin and exits; undefined if the tool cannot. */
  readonly headless?: (launch: ToolLaunch) => readonly string[];
  /** Continues the newest conversation; if absent, `command` without an id does that. */
  readonly continueCommand?: (launch: ToolLaunch) => readonly string[];
  /** Lines of bash before the tool starts. They may export variables and must not prevent the start. */
  readonly beforeStart?: readonly string[];
  /** No secrets: those come from seeds and forwarded variables. */
  readonly environment: (launch: ToolLaunch) => Readonly<Record<string, string>>;
  readonly settings: (launch: ToolLaunch) => readonly SettingsMerge[];
  /** With which the tool does something for coi, such as plugins. */
  readonly ownFiles?: readonly OwnFile[];
  /** Variables with which the tool can log in. */
  readonly loginVariables?: readonly string[];
  /** The tool's instruction file, relative to the home; coi writes between its markers. */
  readonly contextFile?: string;
  readonly conversations?: ConversationFiles;
  /** Undefined if the format is unknown. */
  readonly firstWords?: FirstWords;
  /** Files of its own in which its processes say what they do. */
  readonly registry?: AgentRegistry;
  /** Undefined if coi does not know them. */
  readonly keys?: AgentKeys;
  /** Its conversations use coi's session ids, so their files need not be searched for one. */
  readonly usesSessionId?: boolean;
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

/** The id of the newest file for which `id` finds one. */
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
