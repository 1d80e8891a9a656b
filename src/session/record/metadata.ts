// metadata.json of a stored session, compatible with all versions of the predecessor. Pure.
import { type SessionId, type Slot, slotNumber } from '../../names.ts';

export interface SessionMetadata {
  readonly sessionId: SessionId;
  readonly container: string;
  readonly persistent: boolean;
  readonly profile: string | undefined;
  /** Absolute path on the host; missing in some old files. */
  readonly workspace: string | undefined;
  /** The real path of the workspace, if it differs. */
  readonly realWorkspace?: string | undefined;
  readonly savedAt: Date | undefined;
  /** When a terminal was last attached. */
  readonly attachedAt?: Date | undefined;
  readonly tool: string;
  readonly slot: Slot | undefined;
  /** The agent's last conversation, if its id differs from the session's. */
  readonly conversation?: string | undefined;
}

/** The file's content: one key per line, because version 0.8 reads it line by line. */
export function metadataText(metadata: SessionMetadata): string {
  const value = {
    session_id: metadata.sessionId,
    container_name: metadata.container,
    persistent: metadata.persistent,
    // 0.8.1 reads `profile`, later versions `profile_name`.
    ...(metadata.profile !== undefined && {
      profile: metadata.profile,
      profile_name: metadata.profile,
    }),
    ...(metadata.workspace !== undefined && { workspace: metadata.workspace }),
    ...(metadata.realWorkspace !== undefined && { workspace_real: metadata.realWorkspace }),
    ...(metadata.savedAt && { saved_at: localTime(metadata.savedAt) }),
    ...(metadata.attachedAt && { attached_at: localTime(metadata.attachedAt) }),
    tool: metadata.tool,
    ...(metadata.slot !== undefined && { slot: metadata.slot }),
    ...(metadata.conversation !== undefined && { conversation_id: metadata.conversation }),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Parses the file of session `id`; undefined if it is unusable. Missing or invalid fields are undefined. */
export function parseMetadata(
  text: string,
  id: SessionId,
  tool: string,
): SessionMetadata | undefined {
  const value = jsonTable(text) ?? parseLines(text);
  const word = (key: string) => {
    const given = value[key];
    return typeof given === 'string' && given !== '' && !/[\u0000-\u001f\u007f]/.test(given)
      ? given
      : undefined;
  };
  const container = word('container_name');
  if (container === undefined) return undefined;
  const [savedAt, attachedAt] = [time(word('saved_at')), time(word('attached_at'))];
  const slot = value['slot'] ?? Number(/-(\d{1,2})$/.exec(container)?.[1]);
  const conversation = word('conversation_id');
  const realWorkspace = word('workspace_real');
  return {
    sessionId: id,
    container,
    persistent: value['persistent'] === true || value['persistent'] === 'true',
    profile: word('profile_name') ?? word('profile'),
    workspace: word('workspace'),
    savedAt,
    tool,
    slot: typeof slot === 'number' ? slotNumber(slot) : undefined,
    ...(realWorkspace === undefined ? {} : { realWorkspace }),
    ...(attachedAt === undefined ? {} : { attachedAt }),
    ...(conversation === undefined ? {} : { conversation }),
  };
}

function time(text: string | undefined): Date | undefined {
  const found = new Date(text ?? '');
  return Number.isNaN(found.getTime()) ? undefined : found;
}

function jsonTable(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return undefined;
  }
}

/** Version 0.8 did not escape strings, so a quote in a path made the file invalid JSON. */
function parseLines(text: string): Record<string, unknown> {
  const found = text.split('\n').map((line) => /^\s*"(\w+)":\s*(?:"(.*)"|(\S+?)),?\s*$/.exec(line));
  return Object.fromEntries(
    found.flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? match[3]]] : [])),
  );
}

/** RFC 3339 in the local zone, to the second. */
function localTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const two = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0');
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}
