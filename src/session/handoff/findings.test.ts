import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { guardedThroughout, handoffLines, incompleteLines, strippedEntry } from './findings.ts';
import { isHarmlessConfig } from './harmless-config.ts';
import { matchName } from './match-name.ts';
import { followPath, joinPath, nameOf, parentOf, type WorkspaceTree } from './tree.ts';

/** How a path is classified by its names. */
function classify(path: string) {
  const parts = path.split('/');
  return parts
    .map((name, index) =>
      matchName(name, parts[index - 1] ?? '', index === parts.length - 1 ? 'other' : 'directory'),
    )
    .find((one) => one?.whole || one);
}

test('files that host programs run are recognised by name in any directory', () => {
  for (const path of [
    ...['.vscode/tasks.json', '.envrc', 'package.json', 'web/package.json', 'Makefile', '.npmrc'],
    ...['.github/workflows/ci.yml', '.mcp.json', '.claude/settings.local.json', 'AGENTS.md'],
    ...['yarn.lock', '.husky/pre-push', '.devcontainer/devcontainer.json', '.coi/config.toml'],
    ...[
      '.VSCODE/tasks.json',
      '.vs\u200ccode/tasks.json',
      '.env.local',
      'a/.idea/x/y',
      '.aider.conf.yml',
    ],
    ...[
      'lefthook-local.yml',
      '.lefthook.toml',
      'x.code-workspace',
      'infra/main.tf',
      '.cargo/config',
    ],
    ...['.yarn/releases/yarn.cjs', '.mvn/jvm.config', 'gradle/wrapper/gradle-wrapper.jar'],
    ...['vite.config.ts', '.eslintrc.cjs', 'dev-requirements.txt', 'Dockerfile.dev', '.bazelrc'],
    ...['.config/mise/config.toml', '.github/copilot-instructions.md', '.cursorrules', '.nvim.lua'],
  ])
    assert.ok(classify(path), path);
});

test('files that are only read are not reported', () => {
  for (const path of [
    ...['README.md', 'src/index.ts', 'docs/claude.md', 'lib/makefile.txt', '.gitignore'],
    ...[
      '.env.example',
      'src/build.ts',
      'src/configure.py',
      '.github/CODEOWNERS',
      '.aider.chat.history.md',
    ],
    ...['requirements.md', 'src/config.ts'],
  ])
    assert.equal(classify(path), undefined, path);
});

test('a git configuration is harmless only if every line is known to be', () => {
  const plain = '[core]\n\trepositoryformatversion = 0\n\tbare = false\n';
  for (const more of [
    '',
    '[user]\n\tname = A B\n',
    '[remote "o"]\n\turl = git@host:x/y\n# note\n',
    '[branch "a/b"]\n\tmerge = refs/heads/a/b\n',
  ])
    assert.ok(isHarmlessConfig(plain + more), more);
  for (const more of [
    ...[
      '\tfsmonitor = ./x\n',
      '\tFSMonitor = x\n',
      '\thooksPath = x\n',
      '[include]\n\tpath = x\n',
      '[alias]\n\tst = !x\n',
    ],
    ...[
      '[core] fsmonitor = x\n',
      '\tbare = \\\nfalse\n',
      '[remote "o"]\n\turl = ext::sh -c x\n',
      '[diff "x"]\n\ttextconv = x\n',
    ],
    ...[
      '[remote "o"]\n\tuploadpack = x\n',
      '[user]\n\tname = "x\n',
      '[core.x]\n\tbare = x\n',
      'x',
      '\0',
    ],
    ...['[submodule "x"]\n\tupdate = !x\n', '[filter "x"]\n\tsmudge = x\n', ' '.repeat(70_000)],
  ])
    assert.ok(!isHarmlessConfig(plain + more), more.slice(0, 40));
});

test('a configuration with an unknown key is not harmless, whatever surrounds it', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      // Continued lines and quotes may hide it from git, but not from this check.
      assert.ok(!isHarmlessConfig(`${before}\n[core]\nfsmonitor = x\n${after}`));
    }),
  );
});

/** A file system from a map: a string is a link, `true` a directory, `false` a file. */
function treeOf(entries: Readonly<Record<string, string | boolean>>): WorkspaceTree {
  const kind = (path: string) => {
    const entry = path === '' ? true : entries[path];
    if (entry === undefined) return undefined;
    return typeof entry === 'string'
      ? ('link' as const)
      : entry
        ? ('directory' as const)
        : ('file' as const);
  };
  return {
    stats: (path) => {
      const found = kind(path);
      return found && { kind: found, mode: 0, modifiedMs: 0, changedMs: 0, bornMs: 0 };
    },
    linkTarget: (path) => {
      const entry = entries[path];
      return typeof entry === 'string' ? entry : undefined;
    },
    names: () => [],
    text: () => undefined,
    mayEnter: () => false,
  };
}

test('a path is followed as the kernel does, and reports every link and directory on the way', () => {
  const tree = treeOf({
    a: true,
    'a/f': false,
    l: 'a',
    'a/up': '..',
    out: '../x',
    abs: '/top/w/a/f',
    loop: 'loop',
  });
  const to = (path: string) => followPath(tree, '/top/w', path).path;
  assert.deepEqual(followPath(tree, '/top/w', 'l/f').passed, ['l', 'a']);
  assert.deepEqual(['l/f', 'l/up/l/f', 'abs', 'out', 'loop', 'none', 'a/../../w/l'].map(to), [
    'a/f',
    'a/f',
    'a/f',
    '/top/x',
    undefined,
    undefined,
    'a',
  ]);
});

test('following links always ends, inside, outside or nowhere', () => {
  const name = fc.constantFrom('a', 'b', 'c', '..', '.');
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'));
  const value = fc.oneof(
    fc.boolean(),
    path,
    path.map((one) => `/top/w/${one}`),
  );
  const entryPaths = fc.constantFrom('a', 'b', 'c', 'a/a', 'a/b', 'b/c', 'a/b/c');
  const record = fc.dictionary(entryPaths, value);
  fc.assert(
    fc.property(record, path, (entries, asked) => {
      const followed = followPath(treeOf(entries), '/top/w', asked);
      if (followed.path === undefined || followed.path.startsWith('/')) return;
      assert.ok(!followed.path.split('/').includes('..'));
      assert.notEqual(followed.stats?.kind, 'link');
    }),
  );
});

test('a path is split into its parent and name', () => {
  assert.deepEqual(
    [parentOf('a/b'), nameOf('a/b'), parentOf('a'), nameOf('a')],
    ['a', 'b', '', 'a'],
  );
  assert.deepEqual(
    [joinPath('', 'a'), joinPath('a', 'b'), joinPath('a', '/b')],
    ['a', 'a/b', '/b'],
  );
});

test('only paths guarded in every session count as guarded, and none if one session is unknown', () => {
  const session = (startedAt: string, endedAt: string | undefined, guarded?: string[]) => ({
    startedAt,
    endedAt,
    guarded,
  });
  const since = Date.parse('2026-01-02T00:00:00Z');
  const [old, late] = ['2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z'];
  const paths = (...sessions: ReturnType<typeof session>[]) => [
    ...guardedThroughout(sessions, since),
  ];
  assert.deepEqual(paths(session(late, undefined, ['a', 'b']), session(late, late, ['b'])), ['b']);
  assert.deepEqual(paths(session(late, undefined, ['a']), session(late, late)), []);
  assert.deepEqual(paths(session(late, undefined, ['a']), session(old, old)), ['a']);
  assert.deepEqual(paths(), []);
});

test('many files in one directory are one line; files that take effect at once are listed first', () => {
  const files = [
    ...Array.from({ length: 20 }, (_, index) => ({
      path: `app/p${index}/Makefile`,
      why: 'a build',
    })),
    { path: 'app/x/.git', why: 'a separate repository' },
    { path: 'Makefile', why: 'a build' },
    { path: 'tree/a', why: 'a build', group: 'tree' },
    { path: 'tree/b', why: 'a build', group: 'tree' },
  ];
  assert.deepEqual(
    handoffLines({ files, hidden: ['.x'], installed: [], notLookedAt: [] }).map(
      ({ path, why }) => `${path} - ${why}`,
    ),
    [
      'app/x/.git - a separate repository',
      'Makefile - a build',
      'app/ - 20 such files, e.g. app/p0/Makefile: a build',
      'tree/ - 2 such files, e.g. tree/a: a build',
      '.x - coi does not know what reads it',
    ],
  );
});

test('unchecked paths are listed first, with the number of further ones', () => {
  assert.deepEqual(incompleteLines([]), []);
  const lines = incompleteLines(
    Array.from({ length: 7 }, (_, index) => ({ path: index === 0 ? '' : `d${index}`, why: 'w' })),
  );
  assert.equal(lines.length, 7);
  assert.deepEqual([lines[1], lines.at(-1)], ['  . - w', '  and 2 more']);
});

test('files that coid stripped of setuid and capabilities are reported, in the workspace only', () => {
  assert.deepEqual(strippedEntry('/w', { path: '/w/a', mode: 0o6755, capabilities: true }), [
    { path: 'a', why: 'it had setuid, setgid, capabilities, which coi removed' },
  ]);
  assert.deepEqual(strippedEntry('/w', { path: '/x/a', mode: 0o4755, capabilities: false }), []);
});
