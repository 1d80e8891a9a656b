import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonMount, type GitFacts, locateRepository } from './repository-location.ts';

const home = '/home/ana';
const linked = {
  [`${home}/feature/.git`]: `gitdir: ${home}/repo/.git/worktrees/feature\n`,
  [`${home}/repo/.git/HEAD`]: 'ref: refs/heads/main\n',
  [`${home}/repo/.git/objects/x`]: '',
  [`${home}/repo/.git/refs/x`]: '',
  [`${home}/repo/.git/worktrees/feature/gitdir`]: `${home}/feature/.git\n`,
  [`${home}/repo/.git/worktrees/feature/commondir`]: '../..\n',
};

function locate(files: Readonly<Record<string, string>>, workspace: string, owner = 1000) {
  const names = Object.keys(files);
  const facts: GitFacts = {
    kind: (path) => {
      if (files[path] !== undefined) return 'file';
      return names.some((name) => name.startsWith(`${path}/`)) ? 'directory' : 'missing';
    },
    text: (path) => files[path],
    owner: () => 1000,
    mayOpen: (directory) => directory !== home,
  };
  return locateRepository(workspace, owner, facts);
}

test('a worktree keeps its path, and its repository is mounted at the path that its .git file names', () => {
  const { link, why, ownPath } = locate(linked, `${home}/feature`);
  assert.equal(why, undefined);
  assert.equal(ownPath, true);
  assert.ok(link);
  assert.deepEqual(commonMount(link, { isOwnPath: true, readonly: false }), {
    ...{ name: 'git', source: `${home}/repo/.git`, target: `${home}/repo/.git` },
    ...{ readonly: false, git: 'feature' },
  });
  const relative = { ...link, absolute: false };
  assert.equal(commonMount(relative, { isOwnPath: false, readonly: false }), undefined);
  const ofRoot = { ...link, common: '/root/repo/.git' };
  assert.equal(commonMount(ofRoot, { isOwnPath: true, readonly: false }), undefined);
});

test('a .git file whose target does not name it back opens nothing', () => {
  const cases: [RegExp, Record<string, string>, number?][] = [
    [/does not list this worktree/, { [`${home}/repo/.git/worktrees/feature/gitdir`]: '/x/.git' }],
    [/does not list this worktree/, { [`${home}/repo/.git/worktrees/feature/commondir`]: '/x' }],
    [/belongs to another user/, {}, 1001],
    [/too old/, { [`${home}/repo/.git/config`]: '[extensions]\n\trelativeWorktrees = true\n' }],
    [
      /submodule of \/home\/ana\/top/,
      { [`${home}/feature/.git`]: 'gitdir: ../top/.git/modules/a' },
    ],
    [/is outside/, { [`${home}/feature/.git`]: 'gitdir: ../other' }],
  ];
  for (const [why, files, owner] of cases) {
    const found = locate({ ...linked, ...files }, `${home}/feature`, owner);
    assert.match(found.why ?? '', why);
    assert.equal(found.link, undefined);
  }
});

test('a subdirectory of a repository names its top, unless that may not be mounted', () => {
  const repository = (top: string) => ({ [`${top}/.git/HEAD`]: '', [`${top}/part/x`]: '' });
  assert.match(
    locate(repository(`${home}/repo`), `${home}/repo/part`).why ?? '',
    /repository in \/home\/ana\/repo is mounted; to mount all of it: coi -w \/home\/ana\/repo shell$/,
  );
  assert.match(locate(repository(home), `${home}/part`).why ?? '', /in \/home\/ana is mounted$/);
  assert.equal(locate({ '/tmp/.git/x': '' }, '/tmp/part').why, undefined);
  const own = locate(repository(`${home}/repo`), `${home}/repo`);
  assert.deepEqual([own.why, own.ownPath], [undefined, false]);
});

test('a git directory in the workspace needs the host path if it is named by that', () => {
  const named = (text: string) => locate({ [`${home}/all/.git`]: text }, `${home}/all`);
  assert.equal(named('gitdir: ./.bare\n').ownPath, false);
  assert.equal(named(`gitdir: ${home}/all/.bare\n`).ownPath, true);
  // Its worktrees name it by that path, whatever the file says.
  const bare = {
    [`${home}/all/.git`]: 'gitdir: ./.bare\n',
    [`${home}/all/.bare/worktrees/main/gitdir`]: `${home}/all/main/.git\n`,
  };
  const found = locate(bare, `${home}/all`);
  assert.deepEqual([found.ownPath, found.repository], [true, `${home}/all/.bare`]);
});
