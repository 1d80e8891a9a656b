// The workspace: from what was typed to a path that may be mounted.
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import type { Closed } from '../../host/fs/meta/file-system.ts';
import { quoted, type WorkspacePath, workspaceAt } from '../../names.ts';
import { closedPlace } from './closed-directory.ts';

/** What the host knows of a path. `real` has every link resolved. */
export type PathFacts =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly closed?: Closed }
  | { readonly kind: 'file' }
  | {
      readonly kind: 'directory';
      readonly real: string;
      readonly owner: { readonly uid: number; readonly gid: number };
    };

/** Absolute path of the workspace as its identity: links stay, dots go. Throws `workspace-invalid`. */
export function workspacePath(cwd: string, wanted: string): WorkspacePath {
  if (wanted === '' || /[\0\n]/.test(wanted)) {
    throw new CoiError('workspace-invalid', `invalid workspace ${quoted(wanted)}`, {
      hint: 'Give an existing directory with --workspace.',
    });
  }
  return workspaceAt(cwd, wanted);
}

/** One directory by its two names: as the user came to it, and without links. */
export interface WorkspaceNames {
  readonly path: WorkspacePath;
  readonly real: string;
}

/** What was written down when a session began: the second name only where it is another one. */
export interface RecordedWorkspace {
  readonly workspace?: string | undefined;
  readonly realWorkspace?: string | undefined;
}

/**
 * Whether a session is one of that workspace. Links are those of its start: where they lead now is not asked, since an
 * agent may have led one that lies in its workspace here, and its conversation would be resumed in this one.
 */
export function isSameWorkspace(
  { workspace, realWorkspace }: RecordedWorkspace,
  { path, real }: WorkspaceNames,
): boolean {
  return workspace !== undefined && (workspace === path || (realWorkspace ?? workspace) === real);
}

/** Throws `workspace-invalid` unless it is a directory that this user can use. */
export function usableWorkspace(
  workspace: WorkspacePath,
  facts: PathFacts,
): asserts facts is PathFacts & { kind: 'directory' } {
  switch (facts.kind) {
    case 'directory':
      return;
    case 'missing':
      throw new CoiError('workspace-invalid', `workspace ${quoted(workspace)} does not exist`, {
        hint: 'Create it, or give another with --workspace.',
      });
    case 'file':
      throw new CoiError('workspace-invalid', `workspace ${quoted(workspace)} is not a directory`, {
        hint: 'Give the directory that holds it.',
      });
    case 'unreadable': {
      const told = facts.closed && closedPlace(facts.closed);
      const what = told?.what ?? 'cannot be read by this user';
      throw new CoiError('workspace-invalid', `workspace ${quoted(workspace)} ${what}`, {
        hint: told?.hint ?? 'Check its permissions and those of the directories above it.',
      });
    }
    default:
      facts satisfies never;
  }
}

const systemPlaces = [
  '/etc',
  '/bin',
  '/sbin',
  '/usr',
  '/root',
  '/boot',
  '/sys',
  '/proc',
  '/dev',
  '/lib',
  '/lib64',
  '/run',
  '/var',
  agentUser.home,
];

/** Where the workspace is mounted: `/workspace`, or its own path where that is wanted and hides nothing of the guest's. */
export function workspaceTarget(
  workspace: WorkspacePath,
  preservePath: boolean,
): { target: string; warning?: string } {
  if (!preservePath) return { target: '/workspace' };
  const inSystem =
    systemPlaces.some((place) => workspace === place || workspace.startsWith(`${place}/`)) ||
    workspace.split('/').length < 3;
  if (!inSystem) return { target: workspace };
  return {
    target: '/workspace',
    warning: `preserve_workspace_path: ${workspace} would hide the container's own files; mounted at /workspace instead`,
  };
}
