// The workspace: from the given text to a mountable path.
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import type { PathFacts } from '../../host/fs/path-facts.ts';
import { quoted, type WorkspacePath, workspaceAt } from '../../names.ts';
import { describeInaccessible } from './inaccessible-directory.ts';

/** Absolute path of the workspace, its identity: without `.` and `..`, links unresolved. Throws `workspace-invalid`. */
export function workspacePath(cwd: string, wanted: string): WorkspacePath {
  if (wanted === '' || /[\0\n]/.test(wanted)) {
    throw new CoiError('workspace-invalid', `invalid workspace ${quoted(wanted)}`, {
      hint: 'Give an existing directory with --workspace.',
    });
  }
  return workspaceAt(cwd, wanted);
}

/** The two paths of a workspace: as the user gave it, and with links resolved. */
export interface WorkspaceNames {
  readonly path: WorkspacePath;
  readonly real: string;
}

/** The recorded paths of a session; the real path only if it differs. */
export interface RecordedWorkspace {
  readonly workspace?: string | undefined;
  readonly realWorkspace?: string | undefined;
}

/**
 * Whether a session belongs to that workspace. Uses the links at the session's start, not the current ones: an agent may
 * have pointed a link in its workspace here, and its conversation would be resumed in this workspace.
 */
export function isSameWorkspace(
  { workspace, realWorkspace }: RecordedWorkspace,
  { path, real }: WorkspaceNames,
): boolean {
  return workspace !== undefined && (workspace === path || (realWorkspace ?? workspace) === real);
}

/** Throws `workspace-invalid` unless it is a directory that the user can access. */
export function assertUsableWorkspace(
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
        hint: 'Give the directory that contains it.',
      });
    case 'unreadable': {
      const problem = facts.closed && describeInaccessible(facts.closed);
      const what = problem?.what ?? 'cannot be read by this user';
      throw new CoiError('workspace-invalid', `workspace ${quoted(workspace)} ${what}`, {
        hint: problem?.hint ?? 'Check its permissions and those of the directories above it.',
      });
    }
    default:
      facts satisfies never;
  }
}

const systemDirectories = [
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

/** The mount target of the workspace: `/workspace`, or its own path if configured and not hiding guest files. */
export function workspaceTarget(
  workspace: WorkspacePath,
  preservePath: boolean,
): { target: string; warning?: string } {
  if (!preservePath) return { target: '/workspace' };
  const inSystem =
    systemDirectories.some(
      (directory) => workspace === directory || workspace.startsWith(`${directory}/`),
    ) || workspace.split('/').length < 3;
  if (!inSystem) return { target: workspace };
  return {
    target: '/workspace',
    warning: `preserve_workspace_path: ${workspace} would hide the container's own files; mounted at /workspace instead`,
  };
}
