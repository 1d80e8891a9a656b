import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { hostFiles } from '../../host/fs/host-files.ts';
import { knownWorkspaces } from './known-workspaces.ts';

test('workspaces of stored sessions and aliases are listed once, except those that contain the home', () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-known-'));
  const [home, linked] = [join(top, 'home'), join(top, 'linked')];
  const write = (path: string, value: unknown) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), JSON.stringify(value));
  };
  const stored = (digit: number, workspace: string, more: object = {}) =>
    write(`.coi/sessions-claude/0b7e3c1a-1111-4222-8333-44445555666${digit}/metadata.json`, {
      session_id: `0b7e3c1a-1111-4222-8333-44445555666${digit}`,
      container_name: 'coi-0123abcd-1',
      workspace,
      ...more,
    });
  try {
    mkdirSync(home);
    symlinkSync(home, linked);
    assert.deepEqual(knownWorkspaces(home, hostFiles), []);
    stored(1, '/w/one');
    stored(2, '/w/one');
    stored(3, home);
    stored(4, top);
    write('.coi/aliases.json', { shop: { workspace: '/w/shop' }, all: { workspace: '/' } });
    const known = knownWorkspaces(linked, hostFiles).flat().toSorted();
    assert.deepEqual(known, ['/w/one', '/w/shop']);
  } finally {
    rmSync(top, { recursive: true });
  }
});
