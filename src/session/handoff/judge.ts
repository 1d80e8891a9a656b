// What an agent hands over that something on the host runs without being asked again: hooks, tasks, builds, settings of
// agents. Pure: how it is told; what it is, is found in handoff/.
import type { EndedSession, StrippedFile } from '../../coid-api/ended-protocol.ts';

export interface HandoffEntry {
  /** Relative to the workspace. */
  readonly path: string;
  readonly why: string;
  /** A directory that is told in one line with all such files in it: a worktree, or packages that were installed. */
  readonly group?: string;
}

export interface NotLookedAt {
  /** Relative to the workspace, absolute outside of it; '' is the workspace itself. */
  readonly path: string;
  readonly why: string;
}

export interface HandoffFindings {
  /** The host runs or obeys them. */
  readonly files: readonly HandoffEntry[];
  /** Changed hidden files of which nobody knows what reads them. */
  readonly hidden: readonly string[];
  /** Directories of what was installed or built, and how many entries in them changed. */
  readonly installed: readonly { readonly path: string; readonly changed: number }[];
  readonly notLookedAt: readonly NotLookedAt[];
}

/** A file from which rights were taken at the end of a session; nothing for one outside of the workspace. */
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
  return [{ path: inside, why: `it had ${bits.join(', ')}, which coi took away` }];
}

/** What coid did not look at after those sessions ended; undefined where it does not answer. */
export function sweepGaps(sessions: readonly EndedSession[] | undefined): readonly NotLookedAt[] {
  if (!sessions)
    return [
      {
        path: '',
        why: 'coid does not answer: whether sessions left files with setuid, setgid or capabilities is not known',
      },
    ];
  const open = sessions.find(({ complete }) => complete === false);
  const paths = new Set(sessions.flatMap(({ unseen }) => unseen ?? []));
  return [
    ...(open
      ? [
          {
            path: '',
            why: `not all that ${open.container} could write was looked through yet: files with setuid, setgid or capabilities may be left; coid goes on, see \`coi handoff\` later`,
          },
        ]
      : []),
    // Root follows no name that was exchanged.
    ...[...paths].map((path) => ({
      path,
      why: 'setuid programs and files of the container were not looked for: it is no longer the directory that the session had',
    })),
  ];
}

/** What is known of a session's time in a workspace, as coid wrote it down. */
export interface SessionSpan {
  readonly startedAt: string;
  /** Undefined while it runs. */
  readonly endedAt?: string | undefined;
  /** Paths that coid guarded; undefined where nobody wrote that down. */
  readonly guarded?: readonly string[] | undefined;
}

/**
 * Paths that were guarded in each session of that time. Nothing where one is not known: what was not guarded could be
 * given any time of writing by who changed it.
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

/** More such files than that in one directory at the top are told in one line. */
const groupMin = 12;

/** As it is shown: a line for each file, or one for many that belong together. */
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
  // Who shows only the first lines shows what acts at once.
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

/** What acts as soon as somebody is there is told by itself. */
function isUrgent({ why }: HandoffLine): boolean {
  return /repository|rights of its owner/.test(why);
}

function topOf(path: string): string {
  const end = path.indexOf('/');
  return end < 0 ? '' : path.slice(0, end);
}

/** The first words of a report that does not tell everything; none where everything was looked at. */
export function incompleteLines(notLookedAt: readonly NotLookedAt[]): string[] {
  if (notLookedAt.length === 0) return [];
  const shown = notLookedAt
    .slice(0, notLookedMax)
    .map(({ path, why }) => ({ path: path === '' ? '.' : path, why }));
  const more = notLookedAt.length - shown.length;
  return [
    'this report is not complete. Not looked at:',
    ...shown.map(({ path, why }) => `  ${path} - ${why}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

const notLookedMax = 5;
