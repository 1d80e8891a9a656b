// `coi info` as text and as JSON, in the predecessor's shape. Pure.
import { oneLine } from '../../../printable.ts';
import type { SessionMetadata } from '../../../session/record/metadata.ts';
import type { StoreSize } from '../../../session/store/store-size.ts';

export interface SessionInfo {
  readonly metadata: SessionMetadata;
  readonly dir: string;
  /** The agent's state directory, and its size if it exists. */
  readonly stateDir: string;
  readonly data: StoreSize | undefined;
  /** The command that resumes it from the current directory. */
  readonly resume: string;
}

export function infoText({ metadata, dir, stateDir, data, resume }: SessionInfo): string[] {
  const rows: [string, string | undefined][] = [
    ['Session ID:', metadata.sessionId],
    ['Container:', metadata.container],
    ['Tool:', metadata.tool],
    ['Workspace:', metadata.workspace],
    ['Persistent:', metadata.persistent ? 'yes' : 'no'],
    ['Profile:', metadata.profile],
    ['Saved At:', metadata.savedAt?.toLocaleString('sv-SE')],
    ['Session Data:', data ? `✓ Present (${stateDir} directory)` : '✗ Missing'],
    ['Data Size:', data && `${data.complete ? '' : 'more than '}${sizeText(data.bytes)}`],
    ['Session Path:', dir],
    ['Resume:', resume],
  ];
  const heading = 'Session Information';
  return [
    heading,
    '='.repeat(heading.length),
    ...rows.flatMap(([label, value]) => (value ? [`${label.padEnd(16)}${oneLine(value)}`] : [])),
  ];
}

export function infoJson({ metadata, dir, data }: SessionInfo): unknown {
  return {
    session_id: metadata.sessionId,
    container_name: metadata.container,
    tool: metadata.tool,
    workspace: metadata.workspace ?? null,
    persistent: metadata.persistent,
    profile_name: metadata.profile ?? null,
    slot: metadata.slot ?? null,
    saved_at: metadata.savedAt?.toISOString() ?? null,
    session_path: dir,
    session_data: data ? { bytes: data.bytes, files: data.files, complete: data.complete } : null,
  };
}

/** 1024-based, one decimal: `512 B`, `1.5 KB`, `3.0 MB`. */
function sizeText(bytes: number): string {
  const units = ['KB', 'MB', 'GB', 'TB'];
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${value.toFixed(1)} ${units[unit]}`;
}
