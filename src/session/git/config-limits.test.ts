import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Files,
  guard,
  guardedBy,
  repository,
  tree,
} from '../../../test/security/workspace-tree.ts';
import { threadTime } from '../../host/proc/allowance.ts';
import { protectionPlan } from '../protect/protection-plan.ts';

const crowded = /names more paths than coi can check/;

test('a value of tens of thousands of characters is parsed quickly, whatever its content', () => {
  const length = 60_000;
  for (const part of ['/', ' ', '(a ', 'a=b:c,', "'a b' ", '\\"', `$x/${'a/'.repeat(2000)} `]) {
    const long = part.repeat(Math.ceil(length / part.length)).slice(0, length);
    for (const value of [`${long}x`, `!cd ${long}x && ./a`]) {
      const startMs = threadTime();
      guardedBy(`[diff]\n\texternal = ${value}\n[core]\n\thooksPath = ${value}\n`);
      const tookMs = threadTime() - startMs;
      assert.ok(tookMs < 1000, `${part}: ${tookMs} ms`);
    }
  }
});

test('an oversized value refuses the start; in a planted submodule it only seals the modules', () => {
  const config = `[diff]\n\texternal = ${'x'.repeat(70_000)}\n`;
  assert.match(guardedBy(config).join('\n'), crowded);
  const planted: Files = { '.git/modules/p/HEAD': '', '.git/modules/p/config': config };
  const { whole, refused } = protectionPlan(
    guard('.git/hooks', '.git/config'),
    tree({ ...repository, ...planted }),
  );
  assert.deepEqual([whole, refused], [['.git/modules'], []]);
});

test('configuration of many megabytes refuses the start and is not read further', () => {
  const names = Array.from({ length: 900 }, (_, n) => `c/${n}`);
  const text = `# ${'x'.repeat(1_000_000)}\n`;
  const files = Object.fromEntries(names.map((name) => [name, text]));
  const config = names.map((name) => `[include]\npath = ../${name}\n`).join('');
  const facts = tree({ ...repository, '.git/config': config, ...files });
  let read = 0;
  const counted = (path: string) => {
    const found = facts.text(path);
    read += found?.length ?? 0;
    return found;
  };
  const { refused } = protectionPlan(guard('.git/config'), { ...facts, text: counted });
  assert.ok(refused.some(({ why }) => why === 'crowded'));
  assert.ok(read < 12_000_000, `${read}`);
});
