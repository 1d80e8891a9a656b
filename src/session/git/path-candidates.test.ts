// Which values of git's configuration name files, shown by the guarded paths of a project.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, guardedBy } from '../../../test/security/workspace-tree.ts';

const tools: Files = {
  'tools/x': '',
  'tools/lib/y': '',
  'my tools/x y': '',
  src: '',
  'run.sh': '',
};

test('the program named by any key is guarded, whatever the syntax of the line', () => {
  for (const line of [
    '[diff]\nexternal = tools/x',
    '[diff] external = ./tools/x',
    '[Diff]\nEXTERNAL=tools/../tools/x # comment',
    '[diff]\n\texternal = "tools/x"',
    '[diff]\n\texternal = too\\\nls/x',
    '\uFEFF[diff]\r\n\texternal = tools/x\r\n',
    '[diff "a \\"b\\" ]"]\n\tcommand = tools/x --flag',
    '[diff "p"]\n\ttextconv = sh tools/x <',
    '[gpg]\n\tprogram = /home/ana/project/tools/x',
    '[gpg "ssh"]\n\tprogram = /alias/tools/x',
    '[gpg "ssh"]\n\tdefaultKeyCommand = ~/project/tools/x',
    '[merge "m"]\n\tdriver = tools/x %O %A %B',
    '[filter "f"]\n\tclean = sh -c \'./tools/x "$1"\' --',
    '[filter "f"]\n\tprocess = "sh -c \\"exec ./tools/x\\""',
    '[alias]\n\tx = !./tools/x',
    '[alias]\n\tx = "!f() { ./tools/x \\"$@\\"; }; f"',
    '[alias]\n\tx = !cd lib && $(git rev-parse --show-toplevel)/tools/x',
    '[alias]\n\tx = !"$HOME/project/tools/x"',
    '[alias]\n\tx = !echo `tools/x`',
    '[alias]\n\tx = !cd tools && ./x',
    '[alias]\n\tx = !(cd ./tools/ && sh x)',
    '[alias]\n\tx = "!cd \\"$(git rev-parse --show-toplevel)/tools\\" && ./x"',
    '[alias]\n\tx = !A=tools/x; $A',
    '[alias]\n\tx = -c core.fsmonitor=tools/x status',
    '[alias]\n\tx = difftool --extcmd=./tools/x',
    '[alias "x"]\n\tcommand = !$' + '{A:-./tools/x}',
    '[remote "o"]\n\tuploadpack = tools/x',
    '[remote "o"]\n\treceivepack = sh tools/x',
    '[remote "o"]\n\turl = ext::tools/x %S',
    '[url "ext::./tools/x "]\n\tinsteadOf = o:',
    '[core]\n\teditor = tools/x -w',
    '[core]\n\tsshCommand = ssh -i key -o ProxyCommand=./tools/x',
    '[core]\n\tgitProxy = "tools/x for example.org"',
    '[sequence]\n\teditor = tools/x',
    '[credential]\n\thelper = !tools/x',
    '[credential "https://example.org"]\n\thelper = /home/ana/project/tools/x',
    '[interactive]\n\tdiffFilter = tools/x',
    '[pager]\n\tlog = tools/x | less',
    '[man "m"]\n\tpath = tools/x',
    '[browser "b"]\n\tcmd = tools/x',
    '[difftool "d"]\n\tpath = tools/x',
    '[mergetool "d"]\n\tcmd = tools/x $LOCAL',
    '[trailer "t"]\n\tcommand = tools/x',
    '[submodule "s"]\n\tupdate = !tools/x',
    '[hook "h"]\n\tcommand = tools/x',
    '[core]\n\tattributesFile = tools/x',
    '[gpg "ssh"]\n\tallowedSignersFile = tools/x',
    '[user]\n\tsigningKey = tools/x',
    '[branch "b"]\n\tmergeOptions = -X a=./tools/x',
    '[not-known-yet "x"]\n\tanything = tools/x',
  ])
    assert.deepEqual(guardedBy(line, tools), ['file tools/x'], line);
});

test('program names with blanks are found, with and without a shell or quotes', () => {
  for (const line of [
    '[gpg]\n\tprogram = my tools/x y',
    '[core]\n\teditor = "\'my tools/x y\' --wait"',
    '[core]\n\teditor = my\\\\ tools/x\\\\ y',
    '[alias]\n\tx = "!sh -c \\"\'my tools/x y\'\\""',
  ])
    assert.ok(guardedBy(line, tools).includes('file my tools/x y'), line);
});

test('a word without a slash is guarded if it is a file that a shell would read', () => {
  assert.deepEqual(guardedBy('[alias]\n\tx = !sh run.sh', tools), ['file run.sh']);
  assert.deepEqual(guardedBy('[alias]\n\tx = bisect run sh run.sh', tools), ['file run.sh']);
});

test('directories of hooks, templates, PATH entries and incomplete program paths are guarded', () => {
  for (const [line, expected] of [
    ['[core]\n\thooksPath = tools', 'tree tools'],
    ['[core]\n\thooksPath = /home/ana/project/tools', 'tree tools'],
    ['[core] hooksPath = ~/project/tools', 'tree tools'],
    ['[init]\n\ttemplateDir = tools', 'tree tools'],
    ['[alias]\n\tx = !cd tools && ./lib/y', undefined],
    ['[alias]\n\tx = !eslint ./tools/lib && cat ./tools/lib/*', undefined],
    ['[alias]\n\tx = !for a in ./tools/lib/*; do . $a; done', 'tree tools/lib'],
    ['[alias]\n\tx = !PATH=bin:tools/lib:$PATH x', 'tree tools/lib'],
    ['[alias]\n\tx = !node $(pwd)/tools/lib', 'tree tools/lib'],
    ['[alias]\n\tx = !PATH=tools:$PATH x', 'tree tools'],
    ['[alias]\n\tx = !git log -- tools/lib', undefined],
    ['[alias]\n\tx = !PATH=./tools/lib:$PATH x', 'tree tools/lib'],
    ['[alias]\n\tx = !make -C tools', undefined],
    ['[alias]\n\tx = !./tools/lib/$1', 'tree tools/lib'],
    ['[alias]\n\tx = !sh ./tools/lib/*.sh', 'tree tools/lib'],
    ['[alias]\n\tx = -c core.hooksPath=tools commit', 'tree tools'],
    ['[gitflow "path"]\n\thooks = tools', 'tree tools'],
  ] as const)
    assert.equal(
      guardedBy(line, tools).find((one) => one.startsWith('tree')),
      expected,
      line,
    );
});

test('files that programs find by incomplete names are guarded', () => {
  const files: Files = {
    'tools/x.js': '',
    'tools/y/check.py': '',
    'tools/y/z.py': '',
    'tools/x.d/a': '',
  };
  for (const [line, expected] of [
    ['[alias]\n\tx = !node tools/x', ['file tools/x.js', 'missing tools/x']],
    ['[alias]\n\tx = !node ./tools/x', ['file tools/x.js', 'missing tools/x']],
    ['[alias]\n\tx = !python3 -m tools.y.check', ['file tools/y/check.py', 'tree tools']],
    ['[gpg]\n\tprogram = ~ana/project/tools/x.js', ['file tools/x.js']],
    ['[remote "o"]\n\turl = hg::/home/ana/project/tools', []],
    ['[remote "o"]\n\turl = x::ext::./tools/x.js', ['file tools/x.js']],
  ] as const)
    assert.deepEqual(guardedBy(line, files), expected, line);
});

test('ordinary configurations guard nothing in the project', () => {
  const ordinary = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
	excludesFile = ~/.gitignore
	sparseCheckout = true
	editor = code --wait
	pager = less -FRX
	autocrlf = input
	fsmonitor = true
	sshCommand = ssh -i ~/.ssh/id_work -o IdentitiesOnly=yes
[user]
	name = src
	email = ana@example.org
	signingKey = ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI/src+docs/test ana@host
[remote "origin"]
	url = ../other.git
	fetch = +refs/heads/*:refs/remotes/origin/*
	gh-resolved = base
[remote "near"]
	url = /home/ana/project/vendor
[branch "main"]
	remote = origin
	merge = refs/heads/main
	vscode-merge-base = origin/main
	github-pr-owner-number = "a#b#1"
[branch "docs"]
	remote = .
	merge = refs/heads/docs
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
[lfs]
	repositoryformatversion = 0
	fetchinclude = src/assets
[lfs "https://example.org/x.git/info/lfs"]
	access = basic
[submodule "lib"]
	active = true
	url = ./lib
[gitflow "branch"]
	master = src
[git-town]
	main-branch = docs
[commit]
	template = .gitmessage
	gpgsign = true
[blame]
	ignoreRevsFile = .git-blame-ignore-revs
[alias]
	st = status
	co = checkout
	lg = log --graph --pretty=format:'%h -%d %s (%cr) <%an>' -- src
	d = diff -- src/assets
	test = !npm test
	build = !make build
	front = !cd src && npm test
	fix = !npx prettier --write ./src src/assets/*.ts && cd lib && git pull . main
	top = !git rev-parse --show-toplevel
	size = !du -sh .git/objects . && cat .git/HEAD
	up = !git fetch --all --prune && git rebase origin/main
[diff "docx"]
	textconv = pandoc --to=markdown
[merge]
	tool = meld
	conflictStyle = zdiff3
[credential]
	helper = store
[credential "https://github.com"]
	helper = !/usr/bin/gh auth git-credential
[gitflow "branch"]
	master = main
	develop = develop
[gitflow "prefix"]
	feature = feature/
[gpg]
	format = ssh
[svn-remote "svn"]
	fetch = src/assets:refs/remotes/svn/trunk
[pull]
	rebase = true
[safe]
	directory = /home/ana/project
	directory = /home/ana/project/vendor
[maintenance]
	repo = /home/ana/project/vendor
[delta]
	features = docs
[interactive]
	diffFilter = delta --color-only
[gui]
	wmstate = normal
	geometry = 1061x563+315+253 232 255
`;
  const project: Files = Object.fromEntries(
    [
      ...['src/assets/a', 'docs/a', 'test/a', 'build/a', 'base/a', 'refs/heads/main', 'main/a'],
      ...['lib/a', 'vendor/HEAD', 'feature/a', 'develop/a', 'checkout/a', 'status/a', 'log/a'],
      ...['origin/main/a', '.gitignore', '.gitmessage', '.git-blame-ignore-revs', '.git/objects/a'],
      ...['normal/a', 'basic/a', 'store/a', 'less/a', 'code/a', 'markdown/a', 'npm/a', 'make/a'],
    ].map((path) => [path, '']),
  );
  assert.deepEqual(guardedBy(ordinary, project), []);
  assert.deepEqual(guardedBy(ordinary), []);
});
