// Workspaces with a git repository and other files that the host runs, and sessions in them with the guard on and off.
import { execFile } from 'node:child_process';
import { lstatSync, watch } from 'node:fs';
import { chown, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProtectRequest } from '../../src/coid-api/session-protocol.ts';
import type { CoidBed } from '../incus/coid-bed.ts';

const run = promisify(execFile);

export const protect: ProtectRequest = {
  paths: [
    '.git/hooks',
    '.git/config',
    '.git/config.worktree',
    '.git/commondir',
    '.git/info/attributes',
    '.vscode',
    '.husky',
    '.claude/settings.json',
  ],
  mode: 'guard',
};

/** A repository with one commit, `.vscode` and `.claude`, all owned by one user. */
export async function makeRepo(bed: CoidBed, uid: number): Promise<string> {
  const path = await bed.directory(uid);
  await asUser(uid, ['git', 'init', '--quiet', path]);
  await commit(uid, path, 'first');
  for (const name of ['.vscode', '.claude']) await mkdir(join(path, name));
  await writeFile(join(path, '.vscode/tasks.json'), '{}\n');
  await writeFile(join(path, '.claude/settings.json'), '{}\n');
  for (const name of ['.vscode', '.claude', '.vscode/tasks.json', '.claude/settings.json'])
    await chown(join(path, name), uid, uid);
  return path;
}

export async function commit(uid: number, path: string, message: string): Promise<void> {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid'];
  await asUser(uid, [
    'git',
    '-C',
    path,
    ...identity,
    'commit',
    '--quiet',
    '--allow-empty',
    '-m',
    message,
  ]);
}

/** Runs a program on the host as that user, without this machine's git configuration. */
export async function asUser(uid: number, argv: readonly string[]): Promise<string> {
  const [program = '', ...rest] = argv;
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  const { stdout } = await run(program, rest, { uid, gid: uid, env, cwd: '/' });
  return stdout;
}

/** Owner, group, mode and size of everything below a directory, by path. */
export async function inventory(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true })) {
    const { uid, gid, mode, size } = await lstat(join(directory, entry));
    // The size of a directory depends on the file system.
    const bytes = (mode & 0o170000) === 0o040000 ? 0 : size;
    found[entry] = `${uid}:${gid} ${mode.toString(8)} ${bytes}`;
  }
  return found;
}

/** Resolves when an entry has a guard; rejects after half a minute. */
export function untilGuarded(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(join(path, '..'));
    const end = (error?: unknown) => {
      clearTimeout(limit);
      watcher.close();
      if (error) reject(error);
      else resolve();
    };
    const limit = setTimeout(() => end(new Error(`${path} is not guarded after 30 s`)), 30_000);
    const look = () => {
      // It may just be being replaced.
      const uid = lstatSync(path, { throwIfNoEntry: false })?.uid ?? 0;
      if (uid >= 0x7000_0000) end();
    };
    watcher.on('change', look);
    watcher.on('error', end);
    look();
  });
}

export interface Attack {
  readonly name: string;
  /** For the guest's shell in /workspace; status 0 means that the attack worked. */
  readonly script: string;
}

/** Each reverts its own effect, so that the next one can run. */
export const attacks: readonly Attack[] = [
  { name: 'writes into .git/config', script: 'echo "[x]" >> .git/config' },
  {
    name: 'truncates .git/config',
    script: 'cp .git/config /tmp/c && : > .git/config && cat /tmp/c > .git/config',
  },
  {
    name: 'replaces .git/config',
    script: 'cp .git/config .git/new && mv -f .git/new .git/config',
  },
  {
    name: 'removes .git/config',
    script: 'cp .git/config /tmp/c && rm -f .git/config && cp /tmp/c .git/config',
  },
  {
    name: 'changes the group of .git/config and writes',
    script: 'chgrp $(id -g) .git/config && echo "[x]" >> .git/config',
  },
  {
    name: 'makes .git/config writable for all',
    script: 'chmod 666 .git/config && chmod 644 .git/config',
  },
  { name: 'links to .git/config', script: 'ln .git/config .git/linked && rm .git/linked' },
  { name: 'plants a hook', script: 'echo x > .git/hooks/pre-commit && rm .git/hooks/pre-commit' },
  {
    name: 'plants a hook after changing the group',
    script: 'chgrp $(id -g) .git/hooks && echo x > .git/hooks/pre-push && rm .git/hooks/pre-push',
  },
  { name: 'changes an existing hook', script: 'echo x >> .git/hooks/pre-commit.sample' },
  { name: 'renames .git/hooks', script: 'mv .git/hooks .git/hooks2 && mv .git/hooks2 .git/hooks' },
  {
    name: 'redirects git with commondir',
    script:
      'cp .git/commondir /tmp/d 2>/dev/null; echo /tmp > .git/commondir && { cat /tmp/d > .git/commondir 2>/dev/null || rm .git/commondir; }',
  },
  {
    name: 'replaces the placeholder of commondir',
    script: 'rm -f .git/commondir && echo . > .git/commondir && rm -f .git/commondir',
  },
  {
    name: 'writes config.worktree',
    script: 'echo "[x]" > .git/config.worktree && rm -f .git/config.worktree',
  },
  {
    name: 'writes info/attributes',
    script:
      'mkdir -p .git/info && echo "* filter=x" > .git/info/attributes && rm -f .git/info/attributes',
  },
  {
    name: 'renames .git/info',
    script: 'mkdir -p .git/info && mv .git/info .git/info2 && mv .git/info2 .git/info',
  },
  { name: 'renames .git', script: 'mv .git .git2 && mv .git2 .git' },
  {
    name: 'adds to .vscode',
    script: 'echo {} > .vscode/settings.json && rm .vscode/settings.json',
  },
  { name: 'changes .vscode/tasks.json', script: 'echo "{ }" > .vscode/tasks.json' },
  { name: 'renames .vscode', script: 'mv .vscode .vscode2 && mv .vscode2 .vscode' },
  {
    name: 'removes .vscode',
    script: 'cp -r .vscode /tmp/v && rm -rf .vscode && [ ! -e .vscode ] && cp -r /tmp/v .vscode',
  },
  { name: 'changes .claude/settings.json', script: 'echo "{ }" > .claude/settings.json' },
  { name: 'renames .claude', script: 'mv .claude .claude2 && mv .claude2 .claude' },
];

/** The agent's user leaves the container's mounts by a user namespace and pivot_root; only an open descriptor is left. */
export const leavesMounts = `unshare -Urm perl -e '
  opendir(my $ws, "/workspace") or die "open";
  mkdir "/tmp/nr"; my $m = "tmpfs"; my ($t, $o) = ("/tmp/nr", "mode=755");
  syscall(165, $m, $t, $m, 0, $o) == 0 or die "mount: $!";
  mkdir "/tmp/nr/old"; my $old = "/tmp/nr/old"; syscall(155, $t, $old) == 0 or die "pivot: $!";
  chdir "/"; my $gone = "/old"; syscall(166, $gone, 2) == 0 or die "umount: $!";
  chdir($ws) or die "chdir: $!";
  rename(".git", ".git2") or exit 7;
  rename(".git2", ".git"); exit 0'`;

/** `leavesMounts` for another protected directory: renames it to `aside` and back, and writes a file in it. */
export function outsideOfMounts(directory: string, aside: string, file: string): string[] {
  return [
    leavesMounts.replaceAll('".git2"', `"${aside}"`).replaceAll('".git"', `"${directory}"`),
    leavesMounts.replace(/rename\(.*\n.*/, `open(my $f, ">>", "${file}") or exit 7; exit 0'`),
  ];
}

/** Names of the attacks that work. */
export async function workingAttacks(
  bed: CoidBed,
  container: string,
  tried: readonly Attack[],
  user: 'agent' | 'root',
): Promise<string[]> {
  const names: string[] = [];
  for (const { name, script } of tried)
    if ((await bed.sh(container, script, user)).status === 0) names.push(name);
  return names;
}

/** Container root unmounts the workspace and continues through an open descriptor. */
export const detachesMount =
  'exec 9</workspace; umount -l /workspace; cd /proc/self/fd/9 && mv .git .git2 && mv .git2 .git';
