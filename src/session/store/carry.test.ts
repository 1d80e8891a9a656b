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
import { StorePlace } from '../../../test/bed/store-place.ts';
import { tool as toolOf } from '../../tools/list.ts';

let place: StorePlace;
beforeEach(() => {
  place = new StorePlace();
});
afterEach(() => place[Symbol.dispose]());

const inStore = (relative: string) => join(place.store, relative);
const command = (text: string) => ({ type: 'command', command: text });

test('commands, skills and hooks come; a resumed session keeps what it has', () => {
  place.write('.claude/commands/a.md', 'one');
  place.write('.claude/skills/x/SKILL.md', 'skill');
  place.write('.claude/history.jsonl', 'private');
  assert.deepEqual(place.prepare().warnings, []);
  assert.equal(place.stored('.claude/commands/a.md'), 'one');
  assert.equal(place.stored('.claude/skills/x/SKILL.md'), 'skill');
  assert.equal(existsSync(inStore('.claude/history.jsonl')), false);
  place.write('.claude/commands/a.md', 'two');
  place.prepare('resume');
  assert.equal(place.stored('.claude/commands/a.md'), 'one');
});

test('programs that settings name are carried and found inside; the rest is left out and told', () => {
  place.write('.claude/hooks/check.py', '#');
  place.write('.claude/line.sh', '#');
  place.write('.claude.json', JSON.stringify({ theme: 'light', mcpServers: { github: {} } }));
  place.write(
    '.claude/settings.json',
    JSON.stringify({
      hooks: {
        PreToolUse: [
          {
            matcher: 'Bash',
            hooks: [
              command(`python3 ${place.home}/.claude/hooks/check.py`),
              command(`python3 ${place.home}/.claude/hooks/gone.py`),
            ],
          },
          { hooks: [command('~/bin/gone.sh')] },
        ],
        Stop: [{ hooks: [{ type: 'prompt', prompt: 'Done?' }, command('npx prettier --write .')] }],
      },
      statusLine: command(`${place.home}/.claude/line.sh`),
      apiKeyHelper: `${place.home}/bin/key`,
      model: 'opus',
    }),
  );
  const { warnings } = place.prepare();
  const settings = place.settings('.claude/settings.json');
  assert.deepEqual(settings['hooks'], {
    PreToolUse: [
      { matcher: 'Bash', hooks: [command('python3 /home/code/.claude/hooks/check.py')] },
    ],
    Stop: [{ hooks: [{ type: 'prompt', prompt: 'Done?' }, command('npx prettier --write .')] }],
  });
  assert.deepEqual(settings['statusLine'], command('/home/code/.claude/line.sh'));
  assert.equal(settings['apiKeyHelper'], undefined);
  assert.equal(settings['model'], 'opus');
  assert.equal(place.stored('.claude/line.sh'), '#');
  assert.equal(warnings.length, 1, warnings.join('\n'));
  const [line = ''] = warnings;
  for (const part of ['apiKeyHelper', 'gone.py', '~/bin/gone.sh', 'MCP servers (github)'])
    assert.ok(line.includes(part), line);
});

test('[tool] carry decides: nothing, or more', () => {
  place.write('.claude/commands/a.md', 'a');
  place.write('.claude/notes/n.md', 'n');
  place.write('.claude/settings.json', JSON.stringify({ apiKeyHelper: '~/.claude/key.sh' }));
  place.write('.claude/key.sh', '#');
  const { warnings } = place.prepare('new', { carry: [] });
  assert.equal(existsSync(inStore('.claude/commands')), false);
  assert.match(warnings.join(), /apiKeyHelper/);
  rmSync(place.store, { recursive: true });
  place.prepare('new', { carry: ['notes', 'key.sh'] });
  assert.equal(place.stored('.claude/notes/n.md'), 'n');
  assert.equal(place.settings('.claude/settings.json')['apiKeyHelper'], '~/.claude/key.sh');
});

test('files that the instructions take in come along', () => {
  place.write('.claude/CLAUDE.md', '@style.md\n@~/.claude/deep/x.md\n@.credentials.json.md\n');
  place.write('.claude/style.md', 'tabs');
  place.write('.claude/deep/x.md', 'x');
  place.prepare();
  assert.equal(place.stored('.claude/style.md'), 'tabs');
  assert.equal(place.stored('.claude/deep/x.md'), 'x');
});

test('a login is never carried, whatever is asked for', () => {
  place.write('.claude/.credentials.json', '{"a":1}');
  place.write('.claude/.claude.json', '{"mcpServers":{"x":{}}}');
  place.prepare('new', { carry: ['.credentials.json', '.claude.json'] });
  assert.equal(place.settings('.claude/.claude.json')['mcpServers'], undefined);
  const codex = toolOf('codex', { tools: {} });
  place.write('.codex/auth.json', '{"a":1}');
  for (const name of codex.carry?.never ?? []) assert.match(name, /auth/);
});

test('plugins find themselves inside', () => {
  const installPath = `${place.home}/.claude/plugins/cache/m/p/1.0.0`;
  place.write('.claude/plugins/cache/m/p/1.0.0/commands/x.md', 'x');
  place.write('.claude/plugins/installed_plugins.json', JSON.stringify([{ installPath }]));
  place.prepare();
  assert.match(
    place.stored('.claude/plugins/installed_plugins.json'),
    /"\/home\/code\/\.claude\/plugins\/cache\/m\/p\/1\.0\.0"/,
  );
});

test('what an earlier container left in the store is not written through', () => {
  place.write('.claude/commands/a.md', 'a');
  place.write('.claude/agents/b.md', 'b');
  place.write('.claude/skills/x/c.md', 'c');
  place.write('.claude/hooks/d.sh', 'd');
  const outside = join(place.home, 'outside');
  mkdirSync(join(outside, 'x'), { recursive: true });
  writeFileSync(join(outside, 'a.md'), 'mine');
  // The same session with a new conversation, since nothing was said in it.
  place.prepare('new', { carry: [] });
  symlinkSync(outside, inStore('.claude/commands'));
  mkdirSync(inStore('.claude/agents'));
  execFileSync('mkfifo', [inStore('.claude/agents/b.md')]);
  symlinkSync(outside, inStore('.claude/skills'));
  mkdirSync(inStore('.claude/hooks'));
  symlinkSync(join(outside, 'a.md'), inStore('.claude/hooks/d.sh'));
  const { warnings } = place.prepare('new');
  assert.equal(readFileSync(join(outside, 'a.md'), 'utf8'), 'mine');
  assert.deepEqual(readdirSync(join(outside, 'x')), []);
  assert.ok(lstatSync(inStore('.claude/agents/b.md')).isFile());
  assert.ok(lstatSync(inStore('.claude/hooks/d.sh')).isFile());
  assert.match(warnings.join(), /Not carried into the session: .*commands.*skills/);
});
