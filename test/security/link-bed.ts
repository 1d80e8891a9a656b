// A repository with protected paths behind links, as in real projects, and an agent's attacks on them.
import { lchown, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProtectRequest } from '../../src/coid-api/session-protocol.ts';
import type { CoidBed } from '../incus/coid-bed.ts';
import { type Attack, asUser, makeRepo, protect } from './protect-bed.ts';

export const protectLinked: ProtectRequest = {
  ...protect,
  paths: [...protect.paths, '.idea', '.mcp.json', '.cursor/mcp.json', 'pkg/.claude/settings.json'],
};

/** Each link with its target. A chain, an absolute one, one that leads out, one to a file, one in a guarded directory. */
const links = (workspace: string): Readonly<Record<string, string>> => ({
  '.claude': 'ai/claude',
  '.vscode': 'chain',
  chain: 'editor/../editor/vscode',
  '.husky': join(workspace, 'hooks/husky'),
  '.idea': '../outside-of-it',
  '.mcp.json': 'ai/mcp.json',
  '.cursor': 'ai/cursor',
  'pkg/.claude': '../.claude',
  '.git/hooks/pre-commit': '../../scripts/hook',
  '.githooks': 'tools/githooks',
});

const files: Readonly<Record<string, string>> = {
  'ai/claude/settings.json': '{}\n',
  'ai/mcp.json': '{}\n',
  'ai/cursor/rules': 'x\n',
  'editor/vscode/tasks.json': '{}\n',
  'hooks/husky/pre-commit': 'true\n',
  'scripts/hook': '#!/bin/sh\n',
  'tools/githooks/pre-push': '#!/bin/sh\n',
  'info/exclude': '\n',
};

/** `ai/cursor/mcp.json` is missing; `.git/info` is a link, and so are the hooks that git's configuration names. */
export async function linkedRepository(bed: CoidBed, uid: number): Promise<string> {
  const workspace = await makeRepo(bed, uid);
  for (const path of ['.vscode', '.claude', '.git/info'])
    await rm(join(workspace, path), { recursive: true });
  await mkdir(join(workspace, 'pkg'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), text, { mode: 0o755 });
  }
  for (const [path, target] of Object.entries(links(workspace)))
    await symlink(target, join(workspace, path));
  await rename(join(workspace, 'info'), join(workspace, 'ai/info'));
  await symlink('../ai/info', join(workspace, '.git/info'));
  await asUser(0, ['chown', '-hR', `${uid}:${uid}`, workspace]);
  await asUser(uid, ['git', '-C', workspace, 'config', 'core.hooksPath', '.githooks']);
  return workspace;
}

/** A repository with a `.git` file that names its git directory. */
export async function repositoryBehindFile(bed: CoidBed, uid: number): Promise<string> {
  const workspace = await makeRepo(bed, uid);
  await mkdir(join(workspace, 'store'));
  await rename(join(workspace, '.git'), join(workspace, 'store/git'));
  await writeFile(join(workspace, '.git'), 'gitdir: store/git\n');
  for (const path of ['store', '.git']) await lchown(join(workspace, path), uid, uid);
  return workspace;
}

const replaced = (path: string) =>
  `mv ${path} ${path}2 && mkdir ${path} && rmdir ${path} && mv ${path}2 ${path}`;

/** Each reverts its own effect, so that the next one can run. */
export const linkAttacks: readonly Attack[] = [
  { name: 'writes the target of .claude', script: 'echo "{ }" > .claude/settings.json' },
  { name: 'writes it by its own name', script: 'echo "{ }" > ai/claude/settings.json' },
  {
    name: 'replaces the file',
    script:
      'cp ai/claude/settings.json ai/claude/new && mv -f ai/claude/new ai/claude/settings.json',
  },
  { name: 'replaces a link by a directory', script: replaced('.claude') },
  {
    name: 'redirects a link',
    script: 'ln -sfn /tmp .claude && ln -sfn ai/claude .claude',
  },
  {
    name: 'renames another link over it',
    script: 'ln -s ai/claude new && mv -T new .claude',
  },
  { name: 'gives a link a second name', script: 'ln -P .claude linked && rm linked' },
  { name: 'takes ownership of the link', script: 'chown -h $(id -u):$(id -g) .claude' },
  { name: 'changes the group of the link', script: 'chgrp -h $(id -g) .claude' },
  { name: 'renames a link in a directory', script: replaced('pkg/.claude') },
  { name: 'renames the directory with the link', script: 'mv pkg pkg2 && mv pkg2 pkg' },
  { name: 'renames the target of a link', script: 'mv ai/claude ai/c && mv ai/c ai/claude' },
  { name: 'renames the directory above it', script: 'mv ai ai2 && mv ai2 ai' },
  { name: 'renames the link in a chain', script: replaced('chain') },
  { name: 'renames the directory that the chain passes', script: 'mv editor e && mv e editor' },
  { name: 'changes the target of the chain', script: 'echo "{ }" > editor/vscode/tasks.json' },
  { name: 'adds to it', script: 'echo > .vscode/new.json && rm editor/vscode/new.json' },
  {
    name: 'adds to the target of an absolute link',
    script: 'echo > hooks/husky/x && rm hooks/husky/x',
  },
  { name: 'replaces a link that leads out', script: replaced('.idea') },
  { name: 'writes the file behind a link', script: 'echo "{ }" > ai/mcp.json' },
  { name: 'changes a hook that is a link', script: 'echo >> scripts/hook' },
  { name: 'renames the directory of a linked hook', script: 'mv scripts s && mv s scripts' },
  {
    name: "adds to the hooks that git's configuration names",
    script: 'echo > tools/githooks/x && rm tools/githooks/x',
  },
  { name: 'replaces the link to them', script: replaced('.githooks') },
  {
    name: 'writes attributes behind .git/info',
    script: 'echo > ai/info/attributes && rm ai/info/attributes',
  },
  { name: 'replaces .git/info', script: replaced('.git/info') },
];

/** The agent's user leaves the container's mounts by a user namespace and pivot_root; only an open descriptor is left. */
export const leavesMountsAndRenames = `unshare -Urm perl -e '
  opendir(my $ws, "/workspace") or die "open";
  mkdir "/tmp/nr"; my $m = "tmpfs"; my ($t, $o) = ("/tmp/nr", "mode=755");
  syscall(165, $m, $t, $m, 0, $o) == 0 or die "mount: $!";
  mkdir "/tmp/nr/old"; my $old = "/tmp/nr/old"; syscall(155, $t, $old) == 0 or die "pivot: $!";
  chdir "/"; my $gone = "/old"; syscall(166, $gone, 2) == 0 or die "umount: $!";
  chdir($ws) or die "chdir: $!";
  my $done = 0;
  for my $path (".claude", "chain", ".idea", "ai", "ai/claude", "ai/claude/settings.json", "editor") {
    next unless rename($path, "moved");
    rename("moved", $path); $done += 1;
  }
  exit($done == 7 ? 0 : $done == 0 ? 7 : 8)'`;

/** Container root unmounts the workspace and continues through an open descriptor. */
export const detachesAndReplaces =
  'exec 9</workspace; umount -l /workspace; cd /proc/self/fd/9 && n=0; for path in .claude chain .idea ai ai/claude editor; do mv -T $path moved && mv -T moved $path && n=$((n+1)); done; [ $n = 6 ] && exit 0; [ $n = 0 ] && exit 7; exit 8';
