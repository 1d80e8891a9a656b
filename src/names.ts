// Branded types of names and ids, and the only functions that create them from text.
import { createHash, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { CoiError } from './errors.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type ContainerName = Brand<string, 'ContainerName'>;
export type Slot = Brand<number, 'Slot'>;
export type SessionId = Brand<string, 'SessionId'>;
/** An absolute host path as the user typed it (links not resolved): it identifies a workspace. */
export type WorkspacePath = Brand<string, 'WorkspacePath'>;
export type WorkspaceHash = Brand<string, 'WorkspaceHash'>;
export type Alias = Brand<string, 'Alias'>;
export type ImageAlias = Brand<string, 'ImageAlias'>;

/** The highest slot that is allocated automatically. Higher ones, up to `slotMax`, must be requested. */
export const autoSlotMax = 10;
export const slotMax = 99;
export const defaultPrefix = 'coi-';

/** The first slot that is allocated. */
export const firstSlot = 1 as Slot;

/** The slot, or undefined for an invalid number. */
export function slotNumber(value: number): Slot | undefined {
  return Number.isInteger(value) && value >= 1 && value <= slotMax ? (value as Slot) : undefined;
}

/** Parses a slot of a session: 1 to 99. Throws `usage`. */
export function parseSlot(text: string): Slot {
  const slot = /^\d{1,2}$/.test(text) ? slotNumber(Number(text)) : undefined;
  if (slot === undefined) {
    throw new CoiError('usage', `invalid slot ${quoted(text)}: slots go from 1 to ${slotMax}`, {
      hint: 'Omit --slot to use the lowest free slot.',
    });
  }
  return slot;
}

/** Parses an Incus instance name (a DNS label of at most 63 characters). Throws `usage`. */
export function parseContainerName(text: string): ContainerName {
  if (!/^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(text)) {
    throw new CoiError('usage', `invalid container name ${quoted(text)}`, {
      hint: 'Use at most 63 letters, digits and dashes; see `coi list`.',
    });
  }
  return text as ContainerName;
}

/** The name of an instance from Incus, which has validated it. */
export function instanceName(name: string): ContainerName {
  return name as ContainerName;
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/** Parses a session id. coi creates UUIDs, but scripts of the predecessor's users chose other names. Throws `usage`. */
export function parseSessionId(text: string): SessionId {
  const id = sessionId(text);
  if (id === undefined) {
    throw new CoiError('usage', `invalid session id ${quoted(text)}`, {
      hint: 'Run `coi list --all` to see the ids.',
    });
  }
  return id;
}

/** The id, or undefined for invalid text. */
export function sessionId(text: string): SessionId | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(text) ? (text as SessionId) : undefined;
}

export function newSessionId(): SessionId {
  return randomUUID() as SessionId;
}

/** For containers without a session. */
export const noSession = '' as SessionId;

/** An absolute path; `.` and `..` are resolved, links are not. */
export function workspaceAt(cwd: string, wanted: string): WorkspacePath {
  return resolve(cwd, wanted) as WorkspacePath;
}

/** A path that coi stored, or undefined if it is not absolute. */
export function absoluteWorkspace(path: string): WorkspacePath | undefined {
  return path.startsWith('/') ? (path as WorkspacePath) : undefined;
}

/** Parses a session alias (`[container] alias`). Throws `alias-invalid`. */
export function parseAlias(text: string): Alias {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(text)) {
    throw new CoiError('alias-invalid', `invalid alias ${quoted(text)}`, {
      hint: 'Start with a letter; use at most 64 letters, digits, _ and -.',
    });
  }
  return text as Alias;
}

/** Parses the alias of an image. Throws `usage`. */
export function parseImageAlias(text: string): ImageAlias {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/.test(text) || text.includes('..')) {
    throw new CoiError('usage', `invalid image name ${quoted(text)}`, {
      hint: 'Run `coi image list` to see the images.',
    });
  }
  return text as ImageAlias;
}

/** Parses the prefix of container names (`$COI_CONTAINER_PREFIX`). Throws `usage`. */
export function parsePrefix(text: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,39}$/.test(text)) {
    throw new CoiError('usage', `invalid COI_CONTAINER_PREFIX ${quoted(text)}`, {
      hint: 'Start with a letter; use at most 40 letters, digits and dashes.',
    });
  }
  return text;
}

/** First 8 hex digits of the SHA-256 of the absolute path, as in the predecessor. */
export function workspaceHash(workspace: WorkspacePath): WorkspaceHash {
  return createHash('sha256').update(workspace).digest('hex').slice(0, 8) as WorkspaceHash;
}

/** The hash of a named session (`[container] session_name`). */
export function sessionNameHash(name: string): WorkspaceHash {
  return createHash('sha256')
    .update(`session-name:${name}`)
    .digest('hex')
    .slice(0, 8) as WorkspaceHash;
}

/** Parses the workspace hash of a reservation. Throws `usage`. */
export function parseHash(text: string): WorkspaceHash {
  if (!/^[0-9a-f]{8}$/.test(text)) throw new CoiError('usage', `invalid hash ${quoted(text)}`);
  return text as WorkspaceHash;
}

export function containerName(prefix: string, hash: WorkspaceHash, slot: Slot): ContainerName {
  return `${prefix}${hash}-${slot}` as ContainerName;
}

/** The tmux session inside a container. */
export function tmuxSession(name: ContainerName): string {
  return `coi-${name}`;
}

/** Quotes untrusted text for a message: control characters are escaped, and it is cut to 80 characters. */
export function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return printableJson(JSON.stringify(shown));
}

/** Quotes an untrusted name or key for a message, unless it is plain. Key paths may contain brackets. */
export function plainOrQuoted(text: string): string {
  return /^[A-Za-z0-9_.\-[\]]{1,200}$/.test(text) ? text : quoted(text);
}

/** Escapes characters in JSON text that could control a terminal. The value does not change. */
export function printableJson(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
