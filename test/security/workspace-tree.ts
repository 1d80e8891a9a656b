// A described workspace without files, for tests of the guarded paths.
import { posix } from 'node:path';
import type { ProtectRequest } from '../../src/coid-api/session-protocol.ts';
import type { EntryKind, TreeFacts } from '../../src/session/protect/path-walk.ts';
import { protectionRefusal } from '../../src/session/protect/protect.ts';
import { protectionPlan } from '../../src/session/protect/protection-plan.ts';

/**
 * A tree of the given files; a name that ends with / is an empty directory, one with @ a link to its content, and one that
 * starts with / a host file.
 */
export function tree(files: Readonly<Record<string, string>>): TreeFacts {
  const kinds = new Map<string, EntryKind>();
  for (const name of Object.keys(files).filter((one) => !one.startsWith('/'))) {
    const path = name.replace(/[/@]$/, '');
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1)
      kinds.set(parts.slice(0, depth).join('/'), 'directory');
    kinds.set(path, name.endsWith('/') ? 'directory' : name.endsWith('@') ? 'link' : 'file');
  }
  return {
    kind: (path) => kinds.get(path) ?? 'missing',
    names: (path) =>
      [...kinds.keys()]
        .filter((one) => one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes('/'))
        .map((one) => one.slice(path.length + 1)),
    text: (path) => files[path],
    link: (path) => files[`${path}@`],
    tree: (path, entriesMax) => {
      const inner = [...kinds].filter(([one]) => one.startsWith(`${path}/`));
      const links = inner.filter(([, kind]) => kind === 'link').map(([one]) => one);
      return inner.length > entriesMax ? undefined : { links, entries: inner.length };
    },
    root: '/home/ana/project',
    home: '/home/ana',
    outside: (path) => {
      const normal = posix.normalize(path);
      const text = files[normal];
      if (text !== undefined) return { text };
      const isDirectory = Object.keys(files).some((name) => name.startsWith(`${normal}/`));
      return isDirectory ? 'unread' : 'missing';
    },
    locate: (text) => {
      const path = posix.normalize(text);
      if (path.startsWith('/other/')) return { kind: 'tangled' };
      const [, inside] = /^\/(?:home\/ana\/project|alias)(?:\/(.*))?$/.exec(path) ?? [];
      return inside === undefined
        ? { kind: 'outside' }
        : { kind: 'within', parts: inside.split('/') };
    },
    isMountedOver: () => false,
    isLate: () => false,
  };
}

export const guard = (...paths: string[]) => ({ paths, mode: 'guard' as const });
export const repository = {
  '.git/HEAD': 'x',
  '.git/config': '',
  '.git/hooks/pre-commit.sample': '',
  '.git/info/exclude': '',
};

export type Files = Readonly<Record<string, string>>;

const ofGit = ['.git/hooks', '.git/config', '.git/config.worktree'];

/** Guarded paths of a repository with that configuration outside its git directory, and reasons to refuse its start. */
export function guardedBy(
  config: string,
  files: Files = {},
  request: ProtectRequest = guard(...ofGit),
): string[] {
  const { leaves, missing, refused, placeholders } = protectionPlan(
    request,
    tree({ ...repository, '.git/config': config, ...files }),
  );
  const made = placeholders.map(({ path }) => path);
  return [
    ...leaves
      .filter(({ path }) => !/^\.git\/(?:config|config\.worktree|hooks)$/.test(path))
      .map(({ path, kind }) => `${made.includes(path) ? 'made' : kind} ${path}`),
    ...missing.map((path) => `missing ${path}`),
    ...refused.map((one) => protectionRefusal(one).message),
  ].toSorted();
}
