// Runs the examples of the pages in real containers: every `sh test` block in its page's workspace, as an ordinary user.
// Every line of the following `text output` block must appear in the output. Every toml block must be a valid
// configuration.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GuideBed, makeGuideBed, timeout } from './guide-bed.ts';
import { pages } from './pages.ts';

const killAll = ['kill', '--all', '--force'];

/** Makes the tests of every second page, for a separate file: they take a minute, and two files run at a time. */
export function testExamples(half: 0 | 1): void {
  const wanted = pages().filter((_, index) => index % 2 === half);
  let guide: GuideBed;
  before(async () => {
    guide = await makeGuideBed();
  });
  after(() => guide?.[Symbol.asyncDispose]());

  for (const { name, blocks } of wanted) {
    const scripts = blocks.filter(({ kind }) => kind === 'sh test');
    if (scripts.length > 0)
      test(`${name}: its commands work as described`, { timeout }, async () => {
        const cwd = await guide.workspaceOf(name);
        await using _ = { [Symbol.asyncDispose]: async () => void (await guide.bed.coi(killAll)) };
        for (const [index, { kind, text }] of blocks.entries()) {
          if (kind !== 'sh test') continue;
          const result = await guide.inShell(text, cwd);
          const all = `${result.stdout}${result.stderr}`;
          assert.equal(result.status, 0, `${text}\n${all}`);
          const next = blocks[index + 1];
          if (next?.kind !== 'text output') continue;
          for (const line of next.text.trim().split('\n'))
            assert.ok(all.includes(line), `no "${line}" in what this printed:\n${text}\n${all}`);
        }
      });

    const configurations = blocks.filter(({ kind }) => kind === 'toml');
    if (configurations.length > 0)
      test(`${name}: its configuration is valid`, { timeout }, async () => {
        const file = join(await guide.workspaceOf(name), 'example.toml');
        for (const { text } of configurations) {
          await guide.write(file, text);
          const result = await guide.bed.coi(['validate', 'config', file]);
          assert.equal(result.status, 0, `${text}\n${result.stdout}${result.stderr}`);
        }
      });
  }
}
