import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ContainerFacts, fitCommand } from './shell-paths.ts';

const facts: ContainerFacts = {
  hostHome: '/home/ana',
  guestHome: '/home/code',
  workspace: '/home/ana/dev/shop',
  target: '/workspace',
  has: (path) =>
    ['.claude/hooks/a.sh', '.claude/hooks/my own.sh', '.claude/hooks', '.claude'].includes(path),
};

const fits: Readonly<Record<string, string>> = {
  'npx prettier --write .': 'npx prettier --write .',
  'jq -r .tool_input.file_path': 'jq -r .tool_input.file_path',
  '/home/ana/.claude/hooks/a.sh': '/home/code/.claude/hooks/a.sh',
  'python3 /home/ana/.claude/hooks/a.sh --x=1': 'python3 /home/code/.claude/hooks/a.sh --x=1',
  '~/.claude/hooks/a.sh | cat': '~/.claude/hooks/a.sh | cat',
  '"$HOME/.claude/hooks/a.sh"': '"$HOME/.claude/hooks/a.sh"',
  "bash '/home/ana/.claude/hooks/a.sh'": "bash '/home/code/.claude/hooks/a.sh'",
  '"/home/ana/.claude/hooks/my own.sh" -v': '"/home/code/.claude/hooks/my own.sh" -v',
  'sh /home/ana/.claude/hooks/my\\ own.sh': 'sh /home/code/.claude/hooks/my\\ own.sh',
  'bash -c "/home/ana/.claude/hooks/a.sh --fast"': 'bash -c "/home/code/.claude/hooks/a.sh --fast"',
  '"$CLAUDE_PROJECT_DIR"/.claude/hooks/own.sh': '"$CLAUDE_PROJECT_DIR"/.claude/hooks/own.sh',
  '$CLAUDE_PROJECT_DIR/x.sh': '$CLAUDE_PROJECT_DIR/x.sh',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell text.
  '${CLAUDE_PLUGIN_ROOT}/x.sh': '${CLAUDE_PLUGIN_ROOT}/x.sh',
  '/home/ana/dev/shop/tools/x.sh': '/workspace/tools/x.sh',
  'cd /home/ana/dev/shop && make': 'cd /workspace && make',
  'CONFIG=/home/ana/.claude/hooks/a.sh run': 'CONFIG=/home/code/.claude/hooks/a.sh run',
  '/usr/bin/env bash ~/.claude/hooks/a.sh 2>/dev/null':
    '/usr/bin/env bash ~/.claude/hooks/a.sh 2>/dev/null',
  'curl -s https://example.org/home/ana/x': 'curl -s https://example.org/home/ana/x',
  './scripts/check.sh': './scripts/check.sh',
  "sed 's/a/b/'": "sed 's/a/b/'",
};

for (const [command, inside] of Object.entries(fits))
  test(`the command works inside: ${command}`, () => {
    const { kind, ...more } = fitCommand(command, facts);
    if (command.includes('https://example.org/home/ana'))
      // A URL that contains the home is not told from a path; it is left out rather than guessed.
      assert.equal(kind, 'missing');
    else assert.deepEqual({ kind, ...more }, { kind: 'fits', text: inside });
  });

const missing: readonly string[] = [
  '/home/ana/.claude/hooks/gone.sh',
  'python3 ~/.claude/hooks/gone.py',
  '~/bin/status',
  '$HOME/bin/status',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: shell text.
  '"${HOME}/bin/status"',
  '/opt/tool/bin/x',
  'true && sh /home/ana/bin/x.sh',
  'PATH=$HOME/bin:$PATH x',
  'echo $(cat /home/ana/.netrc)',
  'cat</home/ana/.netrc',
  'x --file=~bob/secret',
  'x --dir=prefix/home/ana/y',
  'bash -c "cd /home/ana/other && make"',
];

for (const command of missing)
  test(`a path that is missing inside is named: ${command}`, () =>
    assert.equal(fitCommand(command, facts).kind, 'missing'));

test("a command that works inside never names the host's home", () => {
  const part = fc.constantFrom(
    ...['/home/ana', '/home/ana/', '.claude/hooks/a.sh', '~/', '$HOME/', '"', "'", ' ', '\\', ';'],
    ...['=', ':', '|', 'x', '/', '/workspace', '/home/ana/dev/shop', '(', '\n'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const found = fitCommand(parts.join(''), facts);
      // A directory of the workspace may have that name, with any quotes in it.
      if (found.kind === 'fits' && !found.text.includes('/workspace'))
        assert.doesNotMatch(found.text, /\/home\/ana/);
    }),
    { numRuns: 3000 },
  );
});

test('a rewritten command works inside unchanged', () => {
  for (const inside of Object.values(fits)) {
    if (inside.includes('example.org')) continue;
    assert.deepEqual(fitCommand(inside, facts), { kind: 'fits', text: inside });
  }
});
