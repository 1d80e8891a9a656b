// Goal: files that the project's own git configuration names are in the hand-off report once they changed, whatever their
// names, even without a guard.
// Method: each program in a real directory with the real git; the control is that git runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoffFixture } from './handoff-fixture.ts';

const attacks = [
  { key: 'diff.external', value: 'tools/x', program: 'tools/x', args: ['diff'] },
  { key: 'alias.x', value: '!sh -c "./tools/x --flag"', program: 'tools/x', args: ['x'] },
  {
    key: 'core.hooksPath',
    value: 'src',
    program: 'src/pre-commit',
    args: ['commit', '--allow-empty', '-m', 'x'],
  },
  {
    key: 'gpg.program',
    value: '$PWD/tools/x',
    program: 'tools/x',
    args: ['commit', '-S', '--allow-empty', '-m', 'x'],
  },
  {
    key: 'include.path',
    value: '../git.conf',
    program: 'git.conf',
    args: ['x'],
    text: '[alias]\n\tx = !"$P"\n',
  },
  {
    key: 'core.fsmonitor',
    value: './link',
    program: 'tools/x',
    args: ['status'],
    before: 'ln -s tools/x link',
  },
];

for (const { key, value, program, args, text = '#!/bin/sh\n"$P"\n', before = ':' } of attacks)
  test(`the report names a replaced program of ${key}`, () => {
    using fixture = new HandoffFixture();
    fixture.sh(
      `git init -q .; mkdir -p tools src; echo x > a; git add a; git commit -qm x; echo y > a; ${before}; git config ${key} "${value.replaceAll('"', '\\"')}"; printf '#!/bin/sh\\n' > ${program}; chmod +x ${program}`,
    );
    for (const guarded of [['.git', '.git/config'], []]) {
      fixture.guarded = guarded;
      fixture.begin();
      assert.deepEqual(fixture.lines(), [], 'before the attack');
      fixture.write(program, text.replaceAll('$P', fixture.program), 0o755);
      const reported = fixture.lines();
      assert.ok(fixture.gitRuns('.', args), 'git does not run it');
      assert.deepEqual(reported, [
        `${program} - git runs or obeys it: ${key.toLowerCase()} in .git/config`,
      ]);
    }
  });

test('a configuration that cannot be read makes the report incomplete', () => {
  using fixture = new HandoffFixture();
  fixture.sh('git init -q .; echo "[core" >> .git/config');
  fixture.begin();
  const { notLookedAt } = fixture.findings();
  assert.deepEqual(notLookedAt, [
    { path: '.git/config', why: 'this git configuration could not be checked' },
  ]);
});

test('thousands of submodules and worktrees make the report incomplete, not slow', () => {
  using fixture = new HandoffFixture();
  fixture.sh('git init -q .');
  const plainMs = tookMs(() => fixture.findings());
  fixture.begin();
  fixture.sh(
    'cd .git; seq -f modules/p%g 5000 | xargs mkdir -p; seq -f worktrees/p%g 5000 | xargs mkdir -p',
  );
  let paths: string[] = [];
  const plantedMs = tookMs(() => {
    paths = fixture.findings().notLookedAt.map(({ path }) => path);
  });
  assert.deepEqual(paths.toSorted(), ['.git/modules', '.git/worktrees']);
  assert.ok(plantedMs < plainMs + 5000, `${plantedMs} ms, without them ${plainMs} ms`);
});

test('the report names a replaced program of a key in another, unguarded worktree of the project', () => {
  using fixture = new HandoffFixture();
  fixture.sh(
    'git init -q .; mkdir hooks; printf "#!/bin/sh\\n" > hooks/pre-commit; chmod +x hooks/pre-commit; git add .; git commit -qm x; git config core.hooksPath hooks; git worktree add -q trees/w -b w',
  );
  fixture.guarded = ['.git', '.git/config', 'hooks', 'hooks/pre-commit'];
  fixture.begin();
  assert.deepEqual(fixture.lines(), [], 'before the attack');
  fixture.write('trees/w/hooks/pre-commit', `#!/bin/sh\n"${fixture.program}"\n`, 0o755);
  const reported = fixture.lines();
  assert.ok(
    fixture.gitRuns('trees/w', ['commit', '--allow-empty', '-m', 'x']),
    'git does not run it',
  );
  assert.deepEqual(reported, [
    'trees/w/hooks/pre-commit - git runs or obeys it: core.hookspath in .git/config',
  ]);
});

function tookMs(run: () => void): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}
