import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { StoreFixture } from '../../../test/bed/store-fixture.ts';
import { findTool as toolOf } from '../../tools/list.ts';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture[Symbol.dispose]());

const inStore = (relative: string) => join(fixture.store, relative);
const command = (text: string) => ({ type: 'command', command: text });

test('commands, skills and hooks are copied; a resumed session keeps its own', () => {
  fixture.write('.claude/commands/a.md', 'one');
  fixture.write('.claude/skills/x/SKILL.md', 'skill');
  fixture.write('.claude/history.jsonl', 'private');
  assert.deepEqual(fixture.prepare().warnings, []);
  assert.equal(fixture.stored('.claude/commands/a.md'), 'one');
  assert.equal(fixture.stored('.claude/skills/x/SKILL.md'), 'skill');
  assert.equal(existsSync(inStore('.claude/history.jsonl')), false);
  fixture.write('.claude/commands/a.md', 'two');
  fixture.prepare('resume');
  assert.equal(fixture.stored('.claude/commands/a.md'), 'one');
});

test('programs that settings name are copied and found inside; the rest is left out and reported', () => {
  fixture.write('.claude/hooks/check.py', '#');
  fixture.write('.claude/line.sh', '#');
  fixture.write('.claude.json', JSON.stringify({ theme: 'light', mcpServers: { github: {} } }));
  fixture.write(
    '.claude/settings.json',
    JSON.stringify({
      hooks: {
        PreToolUse: [
          {
            matcher: 'Bash',
            hooks: [
              command(`python3 ${fixture.home}/.claude/hooks/check.py`),
              command(`python3 ${fixture.home}/.claude/hooks/gone.py`),
            ],
          },
          { hooks: [command('~/bin/gone.sh')] },
        ],
        Stop: [{ hooks: [{ type: 'prompt', prompt: 'Done?' }, command('npx prettier --write .')] }],
      },
      statusLine: command(`${fixture.home}/.claude/line.sh`),
      apiKeyHelper: `${fixture.home}/bin/key`,
      model: 'opus',
    }),
  );
  const { warnings } = fixture.prepare();
  const settings = fixture.settings('.claude/settings.json');
  assert.deepEqual(settings['hooks'], {
    PreToolUse: [
      { matcher: 'Bash', hooks: [command('python3 /home/code/.claude/hooks/check.py')] },
    ],
    Stop: [{ hooks: [{ type: 'prompt', prompt: 'Done?' }, command('npx prettier --write .')] }],
  });
  assert.deepEqual(settings['statusLine'], command('/home/code/.claude/line.sh'));
  assert.equal(settings['apiKeyHelper'], undefined);
  assert.equal(settings['model'], 'opus');
  assert.equal(fixture.stored('.claude/line.sh'), '#');
  assert.equal(warnings.length, 1, warnings.join('\n'));
  const [line = ''] = warnings;
  for (const part of ['apiKeyHelper', 'gone.py', '~/bin/gone.sh', 'MCP servers (github)'])
    assert.ok(line.includes(part), line);
});

test('[tool] carry selects what is copied', () => {
  fixture.write('.claude/commands/a.md', 'a');
  fixture.write('.claude/notes/n.md', 'n');
  fixture.write('.claude/settings.json', JSON.stringify({ apiKeyHelper: '~/.claude/key.sh' }));
  fixture.write('.claude/key.sh', '#');
  const { warnings } = fixture.prepare('new', { carry: [] });
  assert.equal(existsSync(inStore('.claude/commands')), false);
  assert.match(warnings.join(), /apiKeyHelper/);
  rmSync(fixture.store, { recursive: true });
  fixture.prepare('new', { carry: ['notes', 'key.sh'] });
  assert.equal(fixture.stored('.claude/notes/n.md'), 'n');
  assert.equal(fixture.settings('.claude/settings.json')['apiKeyHelper'], '~/.claude/key.sh');
});

test('files that the instructions import are copied too', () => {
  fixture.write('.claude/CLAUDE.md', '@style.md\n@~/.claude/deep/x.md\n@.credentials.json.md\n');
  fixture.write('.claude/style.md', 'tabs');
  fixture.write('.claude/deep/x.md', 'x');
  fixture.prepare();
  assert.equal(fixture.stored('.claude/style.md'), 'tabs');
  assert.equal(fixture.stored('.claude/deep/x.md'), 'x');
});

test('a login is never carried, whatever the configuration', () => {
  fixture.write('.claude/.credentials.json', '{"a":1}');
  fixture.write('.claude/.claude.json', '{"mcpServers":{"x":{}}}');
  fixture.prepare('new', { carry: ['.credentials.json', '.claude.json'] });
  assert.equal(fixture.settings('.claude/.claude.json')['mcpServers'], undefined);
  const codex = toolOf('codex', { tools: {} });
  fixture.write('.codex/auth.json', '{"a":1}');
  for (const name of codex.carry?.never ?? []) assert.match(name, /auth/);
});

test('plugins find their files inside', () => {
  const installPath = `${fixture.home}/.claude/plugins/cache/m/p/1.0.0`;
  fixture.write('.claude/plugins/cache/m/p/1.0.0/commands/x.md', 'x');
  fixture.write('.claude/plugins/installed_plugins.json', JSON.stringify([{ installPath }]));
  fixture.prepare();
  assert.match(
    fixture.stored('.claude/plugins/installed_plugins.json'),
    /"\/home\/code\/\.claude\/plugins\/cache\/m\/p\/1\.0\.0"/,
  );
});

test('files planted in the store by an earlier container are not written through', () => {
  fixture.write('.claude/commands/a.md', 'a');
  fixture.write('.claude/agents/b.md', 'b');
  fixture.write('.claude/skills/x/c.md', 'c');
  fixture.write('.claude/hooks/d.sh', 'd');
  const outside = join(fixture.home, 'outside');
  mkdirSync(join(outside, 'x'), { recursive: true });
  writeFileSync(join(outside, 'a.md'), 'mine');
  // The same session with a new conversation, since it had none.
  fixture.prepare('new', { carry: [] });
  symlinkSync(outside, inStore('.claude/commands'));
  mkdirSync(inStore('.claude/agents'));
  execFileSync('mkfifo', [inStore('.claude/agents/b.md')]);
  symlinkSync(outside, inStore('.claude/skills'));
  mkdirSync(inStore('.claude/hooks'));
  symlinkSync(join(outside, 'a.md'), inStore('.claude/hooks/d.sh'));
  const { warnings } = fixture.prepare('new');
  assert.equal(readFileSync(join(outside, 'a.md'), 'utf8'), 'mine');
  assert.deepEqual(readdirSync(join(outside, 'x')), []);
  assert.ok(lstatSync(inStore('.claude/agents/b.md')).isFile());
  assert.ok(lstatSync(inStore('.claude/hooks/d.sh')).isFile());
  assert.match(warnings.join(), /Not carried into the session: .*commands.*skills/);
});
