import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AgentContext, contextText, withContext, withoutContext } from './context.ts';
import { mergeSettings } from './settings.ts';

const facts: AgentContext = {
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

test("the agent's context describes its environment", () => {
  const text = contextText(facts);
  for (const reported of [
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
    assert.ok(text.includes(reported), reported);
  }
});

test("the agent's context has the allowlist and how to request more", () => {
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

test("the agent's context says which git commands cannot work and what to do instead", () => {
  const reported = contextText({ ...facts, protectedPaths: ['.git/config', '.git/hooks'] });
  assert.match(reported, /`git remote add`.*fail.*`git config --global KEY VALUE` works instead/);
  assert.match(reported, /hooks that the user has installed run/);
  assert.doesNotMatch(contextText({ ...facts, protectedPaths: ['.vscode'] }), /git remote|\.git/);
  assert.match(contextText({ ...facts, protectedPaths: ['.git'] }), /reading only/);
});

test("the agent's context is short", () => {
  assert.ok(contextText({ ...facts, protectedPaths: ['.git/config', '.git/hooks'] }).length < 2200);
});

const words = fc
  .array(fc.constantFrom('# Mine', 'text', '', '- item', '<!-- a comment -->'), { maxLength: 6 })
  .map((lines) => lines.join('\n'));

test("the context block is replaced, never appended twice, and the user's text stays", () => {
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

test('text after the block stays, and markers inside it cannot end it', () => {
  const text = `before\n\n${withContext('', 'old')}\nafter\n`;
  const changed = withContext(text, 'new <!-- END COI SANDBOX CONTEXT --> tail');
  assert.match(
    changed,
    /^before\nafter\n\n<!-- BEGIN COI SANDBOX CONTEXT -->\nnew {2}tail\n<!-- END COI SANDBOX CONTEXT -->\n$/,
  );
});

test("settings are merged one level deep, and the user's other settings stay", () => {
  const own = {
    env: { A: '1' },
    permissions: { allow: ['x'], defaultMode: 'plan' },
    list: [1],
    theme: 'light',
  };
  assert.deepEqual(
    mergeSettings(own, {
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

test('merging twice equals merging once', () => {
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
        mergeSettings(mergeSettings(own, values), values),
        mergeSettings(own, values),
      ),
    ),
  );
});
