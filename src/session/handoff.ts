// What an agent hands over that something on the host runs without being asked again: hooks, tasks, builds, settings of
// agents. Pure: which path is one, and why.

import type { StrippedFile } from '../daemon/protocol.ts';
import { foldedName } from './folded-name.ts';

export interface HandoffEntry {
  /** Relative to the workspace. */
  readonly path: string;
  readonly why: string;
}

export interface WorkspaceFile {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link';
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedMs: number;
  /** When the inode last changed, which nobody but the kernel sets. */
  readonly changedMs: number;
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)\.git\/(?:modules\/.+\/)?hooks\/(?!.*\.sample$)/, 'git runs it'],
  [
    /(?:^|\/)\.git\/(?:.+\/)?(?:config|config\.worktree|commondir|gitdir)$/,
    'git takes commands from it',
  ],
  [
    /(?:^|\/)\.git\/(?:.+\/)?info\/attributes$|(?:^|\/)\.gitattributes$/,
    'git chooses filters and drivers by it',
  ],
  [
    /^(?!\.git$).*(?:^|\/)\.git$/,
    'a repository of its own: git in that directory takes commands from it',
  ],
  [/(?:^|\/)\.gitmodules$/, 'git fetches what it names'],
  [
    /(?:^|\/)(?:\.husky|\.githooks)\/|(?:^|\/)(?:\.pre-commit-config\.ya?ml|lefthook\.ya?ml)$/,
    'git hooks are made from it',
  ],
  [/(?:^|\/)(?:\.vscode|\.idea|\.fleet|\.zed)\/|\.code-workspace$/, 'an editor runs tasks from it'],
  [/(?:^|\/)\.devcontainer(?:\/|\.json$)/, 'an editor builds and runs it'],
  [
    /(?:^|\/)(?:\.envrc|\.tool-versions|mise\.toml|\.mise\.toml|\.env)$/,
    'a shell reads it when the directory is entered',
  ],
  [
    /(?:^|\/)(?:\.npmrc|\.yarnrc(?:\.yml)?|bunfig\.toml|\.pnpmfile\.c?js|pip\.conf|\.cargo\/config(?:\.toml)?)$/,
    'a package manager takes its settings from it',
  ],
  [
    /(?:^|\/)(?:package\.json|setup\.py|setup\.cfg|pyproject\.toml|build\.rs|build\.gradle(?:\.kts)?|pom\.xml|Cargo\.toml|Gemfile|Rakefile|conftest\.py)$/,
    'builds, tests or installs run what it says',
  ],
  [
    /(?:^|\/)(?:GNUmakefile|[Mm]akefile|[^/]+\.mk|[Jj]ustfile|Taskfile\.ya?ml|CMakeLists\.txt|meson\.build|configure(?:\.ac)?|Dockerfile[^/]*|(?:docker-)?compose[^/]*\.ya?ml|Vagrantfile)$/,
    'a build runs what it says',
  ],
  [
    /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|Cargo\.lock|poetry\.lock|uv\.lock|go\.sum|Gemfile\.lock)$/,
    'it says what is installed',
  ],
  [
    /(?:^|\/)(?:\.github\/(?:workflows|actions)\/|\.circleci\/|\.buildkite\/)|(?:^|\/)(?:\.gitlab-ci\.yml|Jenkinsfile|azure-pipelines\.yml|\.travis\.yml)/,
    'the build server runs it',
  ],
  [
    /(?:^|\/)(?:\.mcp\.json|\.claude(?:\/|\.json$)|\.codex\/|\.gemini\/|\.cursor(?:\/|rules$)|\.opencode(?:\/|\.json$)|opencode\.jsonc?$|\.aider[^/]*$|\.coi\/)/,
    'an agent on the host takes its settings or commands from it',
  ],
  [/(?:^|\/)(?:AGENTS|CLAUDE|GEMINI)\.md$/, 'an agent on the host reads it as instructions'],
];

/** Why something on the host would run or obey it; undefined for nearly all. */
export function handoffReason(
  file: Pick<WorkspaceFile, 'path' | 'kind' | 'mode'>,
): string | undefined {
  if (file.kind === 'file' && (file.mode & 0o6000) !== 0)
    return 'it runs with the rights of its owner or group (setuid, setgid)';
  const exact = reasons.find(([pattern]) => pattern.test(file.path));
  if (exact) return exact[1];
  const path = foldedName(file.path);
  return /(?:^|\/)\./.test(path)
    ? spellings.find(([pattern]) => pattern.test(path))?.[1]
    : undefined;
}

/** What begins with a dot in any spelling: the host's file system, or that of whoever checks the project out, may take it for the usual one. */
const spellings = reasons.map(([pattern, why]) => [new RegExp(pattern, 'i'), why] as const);

/**
 * What changed since then. Protected files are told by when they were written, since putting them under guard and out of
 * it changes their inodes; nobody inside could write them.
 */
export function handoff(
  files: readonly WorkspaceFile[],
  sinceMs: number,
  isProtected: (path: string) => boolean,
): HandoffEntry[] {
  const bare = bareRepositories(files);
  return files
    .filter((file) => (isProtected(file.path) ? file.modifiedMs : file.changedMs) >= sinceMs)
    .flatMap((file) => {
      const why = handoffReason(file) ?? bareReason(file.path, bare);
      return why === undefined ? [] : [{ path: file.path, why }];
    })
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** Directories that git takes for a repository when it is run in them, whatever they are called. */
function bareRepositories(files: readonly WorkspaceFile[]): ReadonlySet<string> {
  const kinds = new Map(files.map(({ path, kind }) => [path, kind]));
  const heads = files.filter(({ path, kind }) => kind === 'file' && /(?:^|\/)HEAD$/.test(path));
  return new Set(
    heads
      .map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/'))))
      .filter((top) => !/(?:^|\/)\.git(?:\/|$)/.test(top))
      .filter((top) =>
        ['objects', 'refs'].every((name) => kinds.get(inside(top, name)) === 'directory'),
      ),
  );
}

function bareReason(path: string, bare: ReadonlySet<string>): string | undefined {
  const [, top = '', name = ''] =
    /^(?:(.*)\/)?(config|config\.worktree|commondir|hooks\/[^/]+|info\/attributes)$/.exec(path) ??
    [];
  if (name === '' || name.endsWith('.sample') || !bare.has(top)) return undefined;
  return 'a bare repository: git in that directory takes commands from it';
}

function inside(top: string, name: string): string {
  return top === '' ? name : `${top}/${name}`;
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

/** What is said of directories in which nothing was taken away, since root follows no exchanged name. */
export function unseenText(path: string): string {
  return `${path} was not looked at for setuid programs and files of the container: it is not the directory that the session had any more`;
}

/** Directories that hold nothing that is run from there by itself, and very many files. */
export function isWorthWalking(path: string): boolean {
  return !/(?:^|\/)(?:node_modules|\.venv|target|__pycache__|\.git\/(?:.+\/)?(?:objects|refs|logs|lfs))$/.test(
    path,
  );
}
