import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importedFiles } from './imports.ts';

test("imports below the agent's directory are found in every notation", () => {
  const text = `# Mine
@style.md
See @./notes/git.md, and @~/.claude/deep/x.md.
@~/other/y.md @/etc/z.md @../up.md mail@example.md \`@code.md\` @nobody`;
  assert.deepEqual(importedFiles(text, '.claude'), ['style.md', 'notes/git.md', 'deep/x.md']);
});
