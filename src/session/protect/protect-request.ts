// Builds the protection request from the configuration. Pure.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { isWithin } from './path-text.ts';

/** The keys of [security] and [git], as the configuration has them. */
export interface ProtectConfig {
  readonly 'security.protected_paths': readonly string[];
  readonly 'security.additional_protected_paths': readonly string[];
  readonly 'security.writable_paths': readonly string[];
  readonly 'security.disable_protection': boolean;
  readonly 'security.protection': 'guard' | 'watch';
  readonly 'git.writable_hooks': boolean;
  readonly 'git.readonly': boolean;
}

/**
 * The request to coid; undefined if protection is disabled. Hidden paths are protected as well: if renamed, the next
 * session would not find them. Throws `unprotected-path` for a bad path.
 */
export function protectRequest(
  config: ProtectConfig,
  hidden: readonly string[] = [],
): ProtectRequest | undefined {
  if (config['security.disable_protection']) return undefined;
  const writable = [
    ...config['security.writable_paths'].map(parseProtectedPath),
    ...(config['git.writable_hooks'] ? ['.git/hooks'] : []),
  ];
  const wanted = [
    ...config['security.protected_paths'],
    ...config['security.additional_protected_paths'],
  ].map(parseProtectedPath);
  const paths = [...new Set([...wanted, ...hidden])].filter((path) => !writable.includes(path));
  return {
    paths,
    mode: config['security.protection'],
    ...(config['git.readonly'] ? { readonlyGit: true } : {}),
    ...(writable.length > 0 ? { writable } : {}),
  };
}

/**
 * The request for the parent of a git directory that worktrees share: the same paths as in a `.git`, and nothing else.
 * Undefined if there are none.
 */
export function sharedGitRequest(
  { paths, mode, readonlyGit, writable = [] }: ProtectRequest,
  name: string,
  checkouts: readonly string[] = [],
): ProtectRequest | undefined {
  const inGit = (all: readonly string[]) =>
    all.flatMap((path) =>
      path.startsWith('.git/') ? [`${name}${path.slice('.git'.length)}`] : [],
    );
  const inner = inGit(paths);
  if (inner.length === 0) return undefined;
  return {
    paths: inner,
    mode,
    checkouts,
    writable: inGit(writable),
    within: [name],
    ...(readonlyGit ? { readonlyGit } : {}),
    ...(name === '.git' ? {} : { gitDirectories: [name] }),
  };
}

/** Merges the requests of sessions that share a directory. The mode of the later one applies. */
export function mergeRequests(
  before: ProtectRequest | undefined,
  request: ProtectRequest,
): ProtectRequest {
  const gitDirectories = union(before?.gitDirectories, request.gitDirectories);
  const checkouts = union(before?.checkouts, request.checkouts);
  const { within: _, ...rest } = request;
  const isPart = request.within && (!before || before.within);
  return {
    ...rest,
    paths: union(before?.paths, request.paths),
    writable: before ? writableFor(before, request) : (request.writable ?? []),
    ...(isPart ? { within: union(before?.within, request.within) } : {}),
    ...(gitDirectories.length > 0 ? { gitDirectories } : {}),
    ...(checkouts.length > 0 ? { checkouts } : {}),
  };
}

/** Paths that both may change. A request with `within` has no say on paths outside of its part. */
function writableFor(before: ProtectRequest, request: ProtectRequest): readonly string[] {
  return union(before.writable, request.writable).filter((path) =>
    [before, request].every(
      ({ writable, within }) =>
        writable?.includes(path) ||
        (within && !within.some((directory) => isWithin(path, directory))),
    ),
  );
}

function union(one: readonly string[] = [], other: readonly string[] = []): string[] {
  return [...new Set([...one, ...other])];
}

/** Throws `unprotected-path` unless it is a plain relative path. */
export function parseProtectedPath(path: string): string {
  const parts = path.replace(/\/+$/, '').split('/');
  const plain =
    path !== '' &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (plain && path.length < 1024) return parts.join('/');
  throw new CoiError(
    'unprotected-path',
    `${quoted(path)} cannot be protected: it is not a plain relative path`,
    {
      hint: 'Correct [security] protected_paths.',
    },
  );
}
