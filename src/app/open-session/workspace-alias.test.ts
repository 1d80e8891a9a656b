import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostFiles } from '../../host/fs/host-files.ts';
import { readAliases } from '../../session/record/aliases.ts';

const processes = 4;
const aliasesEach = 12;

/** Registers its aliases one after the other, like that many starts, on a signal. */
const script = `
  import { registerAlias } from ${JSON.stringify(join(import.meta.dirname, 'workspace-alias.ts'))};
  const [home, name] = process.argv.slice(1);
  const { uid, gid } = { uid: process.getuid(), gid: process.getgid() };
  const app = { user: { home, uid, gid, name: 'x' }, prefix: 'coi-', signal: new AbortController().signal };
  const register = (at) =>
    registerAlias(app, { at: { workspace: '/' + name + at }, resolved: { settings: { 'container.alias': name + at } } });
  process.stdout.write('ready');
  process.stdin.once('data', async () => {
    for (let at = 0; at < ${aliasesEach}; at += 1) await register(at);
    process.exit();
  });`;

test('aliases that several processes register for the first time at once are all kept', async () => {
  const home = mkdtempSync(join(tmpdir(), 'coi-aliases-'));
  try {
    const names = Array.from({ length: processes }, (_, at) => `p${at}x`);
    const children = names.map((name) =>
      spawn(process.execPath, ['--input-type=module', '-e', script, home, name], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    const ends = children.map((child) => once(child, 'exit'));
    for (const child of children) child.stdin.write('go');
    for (const [status] of await Promise.all(ends)) assert.equal(status, 0);
    const wanted = names.flatMap((name) =>
      Array.from({ length: aliasesEach }, (_, at) => [name + at, { workspace: `/${name}${at}` }]),
    );
    assert.deepEqual(readAliases(home, hostFiles), Object.fromEntries(wanted));
  } finally {
    rmSync(home, { recursive: true });
  }
});
