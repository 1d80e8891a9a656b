import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contextText, type Surroundings, withContext, withoutContext } from './context.ts';
import { mergedSettings } from './settings.ts';

const facts: Surroundings = {
  tool: 'Claude Code',
  samePath: false,
  workspace: '/workspace',
  home: '/home/code',
  persistent: false,
  permissionMode: 'bypass',
  network: 'restricted',
  allowed: [],
  protectedPaths: ['.git/hooks'],
  hiddenPaths: ['.env'],
  variables: ['GH_TOKEN'],
  mounts: [{ container: '/data', readonly: true }],
  docker: true,
  sshAgent: true,
};

test('the agent is told what surrounds it', () => {
  const text = contextText(facts);
  for (const told of [
    '`/workspace`',
    '`.git/hooks`',
    '`GH_TOKEN`',
    '`gh` is logged in',
    '`/data` (read-only)',
    'SSH_AUTH_SOCK',
    'poweroff',
    'private networks',
    'deleted when it stops',
  ]) {
    assert.ok(text.includes(told), told);
  }
});

test('it is told the allowlist, and how to ask for more', () => {
  const text = contextText({
    ...facts,
    network: 'allowlist',
    allowed: ['@npm-registry', 'api.example.org'],
  });
  assert.match(
    text,
    /only `api\.example\.org`, the npm registry can be reached.*coi network allow/,
  );
  assert.match(contextText({ ...facts, network: 'allowlist' }), /nothing is reachable/);
});

test('it is told what of git cannot work, and what does, where that is so', () => {
  const told = contextText({ ...facts, protectedPaths: ['.git/config', '.git/hooks'] });
  assert.match(told, /`git remote add`.*fail.*`git config --global KEY VALUE` works instead/);
  assert.match(told, /hooks that the user has installed run/);
  assert.doesNotMatch(contextText({ ...facts, protectedPaths: ['.vscode'] }), /git remote|\.git/);
  assert.match(contextText({ ...facts, protectedPaths: ['.git'] }), /reading only/);
});

test('it is short', () => {
  assert.ok(contextText({ ...facts, protectedPaths: ['.git/config', '.git/hooks'] }).length < 2200);
});

const words = fc
  .array(fc.constantFrom('# Mine', 'text', '', '- item', '<!-- a comment -->'), { maxLength: 6 })
  .map((lines) => lines.join('\n'));

test('the block is replaced, never appended a second time, and the user’s own text stays', () => {
  fc.assert(
    fc.property(words, words, words, (own, first, second) => {
      const once = withContext(own, first);
      const twice = withContext(once, second);
      assert.equal(twice, withContext(own, second));
      assert.equal(twice.split('BEGIN COI').length, 2);
      assert.equal(withoutContext(twice).trim(), own.trim());
    }),
  );
});

test('text after the block stays, and markers inside of it cannot end it', () => {
  const text = `before\n\n${withContext('', 'old')}\nafter\n`;
  const changed = withContext(text, 'new <!-- END COI SANDBOX CONTEXT --> tail');
  assert.match(
    changed,
    /^before\nafter\n\n<!-- BEGIN COI SANDBOX CONTEXT -->\nnew {2}tail\n<!-- END COI SANDBOX CONTEXT -->\n$/,
  );
});

test('settings are joined one level deep, and what the user has besides stays', () => {
  const own = {
    env: { A: '1' },
    permissions: { allow: ['x'], defaultMode: 'plan' },
    list: [1],
    theme: 'light',
  };
  assert.deepEqual(
    mergedSettings(own, {
      permissions: { defaultMode: 'bypassPermissions' },
      list: [2],
      extra: true,
    }),
    {
      env: { A: '1' },
      permissions: { allow: ['x'], defaultMode: 'bypassPermissions' },
      list: [2],
      theme: 'light',
      extra: true,
    },
  );
});

test('merging twice is merging once', () => {
  const json = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.oneof(
      fc.integer(),
      fc.dictionary(fc.constantFrom('x', 'y'), fc.integer(), { noNullPrototype: true }),
    ),
  );
  fc.assert(
    fc.property(json, json, (own, values) =>
      assert.deepEqual(
        mergedSettings(mergedSettings(own, values), values),
        mergedSettings(own, values),
      ),
    ),
  );
});
