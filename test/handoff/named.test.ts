// Goal: what the project's own configuration of git names is in the hand-off report as soon as it changed, whatever it is
// called, also where nothing was guarded.
// Method: each program on a real directory with the real git; the control is that git runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoffPlace } from './place.ts';

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
  test(`the program of ${key}, which was there before and is replaced`, () => {
    using place = new HandoffPlace();
    place.sh(
      `git init -q .; mkdir -p tools src; echo x > a; git add a; git commit -qm x; echo y > a; ${before}; git config ${key} "${value.replaceAll('"', '\\"')}"; printf '#!/bin/sh\\n' > ${program}; chmod +x ${program}`,
    );
    for (const guarded of [['.git', '.git/config'], []]) {
      place.guarded = guarded;
      place.begin();
      assert.deepEqual(place.lines(), [], 'before the attack');
      place.write(program, text.replaceAll('$P', place.program), 0o755);
      const told = place.lines();
      assert.ok(place.gitRuns('.', args), 'git does not run it');
      assert.deepEqual(told, [
        `${program} - git runs or obeys it: ${key.toLowerCase()} in .git/config`,
      ]);
    }
  });

test('a configuration that cannot be read makes the report incomplete', () => {
  using place = new HandoffPlace();
  place.sh('git init -q .; echo "[core" >> .git/config');
  place.begin();
  const { notLookedAt } = place.findings();
  assert.deepEqual(notLookedAt, [
    { path: '.git/config', why: 'what this configuration of git names is not known' },
  ]);
});

test('thousands of submodules and worktrees make the report incomplete, not slow', () => {
  using place = new HandoffPlace();
  place.sh('git init -q .');
  const plainMs = tookMs(() => place.findings());
  place.begin();
  place.sh(
    'cd .git; seq -f modules/p%g 5000 | xargs mkdir -p; seq -f worktrees/p%g 5000 | xargs mkdir -p',
  );
  let paths: string[] = [];
  const plantedMs = tookMs(() => {
    paths = place.findings().notLookedAt.map(({ path }) => path);
  });
  assert.deepEqual(paths.toSorted(), ['.git/modules', '.git/worktrees']);
  assert.ok(plantedMs < plainMs + 5000, `${plantedMs} ms, without them ${plainMs} ms`);
});

test('the program of a key in another worktree in the project, where it is not guarded', () => {
  using place = new HandoffPlace();
  place.sh(
    'git init -q .; mkdir hooks; printf "#!/bin/sh\\n" > hooks/pre-commit; chmod +x hooks/pre-commit; git add .; git commit -qm x; git config core.hooksPath hooks; git worktree add -q trees/w -b w',
  );
  place.guarded = ['.git', '.git/config', 'hooks', 'hooks/pre-commit'];
  place.begin();
  assert.deepEqual(place.lines(), [], 'before the attack');
  place.write('trees/w/hooks/pre-commit', `#!/bin/sh\n"${place.program}"\n`, 0o755);
  const told = place.lines();
  assert.ok(
    place.gitRuns('trees/w', ['commit', '--allow-empty', '-m', 'x']),
    'git does not run it',
  );
  assert.deepEqual(told, [
    'trees/w/hooks/pre-commit - git runs or obeys it: core.hookspath in .git/config',
  ]);
});

function tookMs(run: () => void): number {
  const startMs = performance.now();
  run();
  return performance.now() - startMs;
}
