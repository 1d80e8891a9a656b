// The hand-off report: files from an agent that host tools run without asking, such as hooks, tasks, builds and agent
// settings. Pure. This file formats the findings; other files in handoff/ find them.
import type { EndedSession, StrippedFile } from '../../coid-api/ended-protocol.ts';

export interface HandoffEntry {
  /** Relative to the workspace. */
  readonly path: string;
  readonly why: string;
  /** A directory whose files are reported in one line: a worktree, or installed packages. */
  readonly group?: string;
}

export interface UncheckedPath {
  /** Relative to the workspace, absolute outside of it; '' is the workspace itself. */
  readonly path: string;
  readonly why: string;
}

export interface HandoffFindings {
  /** Files that the host runs or obeys. */
  readonly files: readonly HandoffEntry[];
  /** Changed hidden files whose readers are unknown. */
  readonly hidden: readonly string[];
  /** Directories of installed or built files, with the number of changed entries. */
  readonly installed: readonly { readonly path: string; readonly changed: number }[];
  readonly notLookedAt: readonly UncheckedPath[];
}

/** A file that lost permission bits or capabilities at the end of a session; none for one outside of the workspace. */
export function strippedEntry(
  workspace: string,
  { path, mode, capabilities }: StrippedFile,
): HandoffEntry[] {
  if (!path.startsWith(`${workspace}/`)) return [];
  const bits = [
    ...((mode & 0o4000) !== 0 ? ['setuid'] : []),
    ...((mode & 0o2000) !== 0 ? ['setgid'] : []),
    ...(capabilities ? ['capabilities'] : []),
  ];
  const inside = path.slice(workspace.length + 1);
  return [{ path: inside, why: `it had ${bits.join(', ')}, which coi removed` }];
}

/** What coid did not check after those sessions ended. `sessions` is undefined if coid does not answer. */
export function uncheckedBySweep(
  sessions: readonly EndedSession[] | undefined,
): readonly UncheckedPath[] {
  if (!sessions)
    return [
      {
        path: '',
        why: 'coid does not answer: sessions may have left files with setuid, setgid or capabilities',
      },
    ];
  const open = sessions.find(({ complete }) => complete === false);
  const paths = new Set(sessions.flatMap(({ unseen }) => unseen ?? []));
  return [
    ...(open
      ? [
          {
            path: '',
            why: `coid has not yet checked everything that ${open.container} could write: files with setuid, setgid or capabilities may be left; run \`coi handoff\` again later`,
          },
        ]
      : []),
    // Root must not follow a path that was replaced.
    ...[...paths].map((path) => ({
      path,
      why: 'not checked for setuid programs and files of the container: it is no longer the directory of the session',
    })),
  ];
}

/** The recorded time of a session in a workspace. */
export interface SessionSpan {
  readonly startedAt: string;
  /** Undefined while it runs. */
  readonly endedAt?: string | undefined;
  /** Paths that coid guarded; undefined if not recorded. */
  readonly guarded?: readonly string[] | undefined;
}

/**
 * Paths that were guarded in all sessions of that time; none if a session has no record. The modification time of an
 * unguarded path proves nothing, because whoever changes a file can set it.
 */
export function guardedThroughout(
  sessions: readonly SessionSpan[],
  sinceMs: number,
): ReadonlySet<string> {
  const within = sessions.filter(
    ({ endedAt }) => endedAt === undefined || Date.parse(endedAt) >= sinceMs,
  );
  const [first, ...others] = within.map(({ guarded }) => new Set(guarded ?? []));
  return new Set([...(first ?? [])].filter((path) => others.every((other) => other.has(path))));
}

export interface HandoffLine {
  readonly path: string;
  readonly why: string;
}

/** If a top-level directory has more findings than this, they are reported in one line. */
const groupMin = 12;

/** The displayed lines: one per file, or one per group of files. */
export function handoffLines({ files, hidden }: HandoffFindings): HandoffLine[] {
  const crowded = new Map<string, number>();
  for (const { path, group } of files)
    if (group === undefined) crowded.set(topOf(path), (crowded.get(topOf(path)) ?? 0) + 1);
  const groups = new Map<string, HandoffEntry[]>();
  const lines: HandoffLine[] = [];
  for (const file of files) {
    const isCrowded = topOf(file.path) !== '' && (crowded.get(topOf(file.path)) ?? 0) > groupMin;
    const group = file.group ?? (isCrowded && !isUrgent(file) ? topOf(file.path) : undefined);
    if (group === undefined) lines.push({ path: file.path, why: file.why });
    else groups.set(group, [...(groups.get(group) ?? []), file]);
  }
  for (const [group, inGroup] of groups) {
    const [first] = inGroup;
    if (inGroup.length > 1 || !first)
      lines.push({ path: `${group}/`, why: `${inGroup.length} such files, ${example(inGroup)}` });
    else lines.push({ path: first.path, why: first.why });
  }
  // Urgent findings come first, because some callers show only the first lines.
  const sorted = lines.toSorted((one, other) =>
    isUrgent(one) === isUrgent(other) ? (one.path < other.path ? -1 : 1) : isUrgent(one) ? -1 : 1,
  );
  const [firstHidden] = hidden;
  if (firstHidden === undefined) return sorted;
  const path = hidden.length === 1 ? firstHidden : `${hidden.length} hidden files`;
  const shown = hidden.length === 1 ? '' : `, e.g. ${firstHidden}`;
  return [
    ...sorted,
    { path, why: `coi does not know what reads ${hidden.length === 1 ? 'it' : 'them'}${shown}` },
  ];
}

function example([first]: readonly HandoffEntry[]): string {
  return first ? `e.g. ${first.path}: ${first.why}` : '';
}

/** Findings that act as soon as somebody enters the directory; they are never grouped. */
function isUrgent({ why }: HandoffLine): boolean {
  return /repository|rights of its owner/.test(why);
}

function topOf(path: string): string {
  const end = path.indexOf('/');
  return end < 0 ? '' : path.slice(0, end);
}

/** The heading of an incomplete report; none if everything was checked. */
export function incompleteLines(notLookedAt: readonly UncheckedPath[]): string[] {
  if (notLookedAt.length === 0) return [];
  const shown = notLookedAt
    .slice(0, uncheckedMax)
    .map(({ path, why }) => ({ path: path === '' ? '.' : path, why }));
  const more = notLookedAt.length - shown.length;
  return [
    'this report is incomplete. Not checked:',
    ...shown.map(({ path, why }) => `  ${path} - ${why}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

const uncheckedMax = 5;
