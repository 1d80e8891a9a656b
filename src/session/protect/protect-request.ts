// What of a workspace is asked to be guarded, from the configuration. Pure.
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
 * What is asked of coid; undefined where protection is switched off. What is hidden is guarded as well: renamed, it would
 * not be found by the next session. Throws `unprotected-path` for a bad path.
 */
export function protectRequest(
  config: ProtectConfig,
  hidden: readonly string[] = [],
): ProtectRequest | undefined {
  if (config['security.disable_protection']) return undefined;
  const writable = [
    ...config['security.writable_paths'].map(cleanPath),
    ...(config['git.writable_hooks'] ? ['.git/hooks'] : []),
  ];
  const wanted = [
    ...config['security.protected_paths'],
    ...config['security.additional_protected_paths'],
  ].map(cleanPath);
  const paths = [...new Set([...wanted, ...hidden])].filter((path) => !writable.includes(path));
  return {
    paths,
    mode: config['security.protection'],
    ...(config['git.readonly'] ? { readonlyGit: true } : {}),
    ...(writable.length > 0 ? { writable } : {}),
  };
}

/**
 * What is asked of the directory that holds the git directory which a workspace shares with other worktrees: the same
 * that is protected in a `.git`, and nothing beside it. Undefined where that is nothing.
 */
export function commonRequest(
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

/** Both at once: what sessions ask that share a directory. The later one says how. */
export function bothRequests(
  before: ProtectRequest | undefined,
  request: ProtectRequest,
): ProtectRequest {
  const gitDirectories = joined(before?.gitDirectories, request.gitDirectories);
  const checkouts = joined(before?.checkouts, request.checkouts);
  const { within: _, ...rest } = request;
  const isPart = request.within && (!before || before.within);
  return {
    ...rest,
    paths: joined(before?.paths, request.paths),
    writable: before ? writableFor(before, request) : (request.writable ?? []),
    ...(isPart ? { within: joined(before?.within, request.within) } : {}),
    ...(gitDirectories.length > 0 ? { gitDirectories } : {}),
    ...(checkouts.length > 0 ? { checkouts } : {}),
  };
}

/** What each of them may change; of what lies beside its part a request says nothing. */
function writableFor(before: ProtectRequest, request: ProtectRequest): readonly string[] {
  return joined(before.writable, request.writable).filter((path) =>
    [before, request].every(
      ({ writable, within }) =>
        writable?.includes(path) ||
        (within && !within.some((directory) => isWithin(path, directory))),
    ),
  );
}

function joined(one: readonly string[] = [], other: readonly string[] = []): string[] {
  return [...new Set([...one, ...other])];
}

/** Throws `unprotected-path` unless it is a plain relative path. */
export function cleanPath(path: string): string {
  const parts = path.replace(/\/+$/, '').split('/');
  const plain =
    path !== '' &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (plain && path.length < 1024) return parts.join('/');
  throw new CoiError(
    'unprotected-path',
    `${quoted(path)} cannot be protected: it is no plain path inside the workspace`,
    {
      hint: 'Correct [security] protected_paths.',
    },
  );
}
