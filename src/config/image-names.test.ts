import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostFiles } from '../host/files.ts';
import { imageNames, imageNamesIn } from './image-names.ts';

test('the image of sessions and that of a build, also beside keys that nobody knows', () => {
  const text = 'x = 1\n[container]\nimage = "a"\nwhat = 2\n[container.build]\nbase = "b"\n';
  assert.deepEqual(imageNames(text), ['a', 'b']);
  assert.deepEqual(imageNames('[container]\nimage = 1\nbuild = 2'), []);
  assert.deepEqual(imageNames(''), []);
});

test('of what is no TOML every word counts', () => {
  assert.ok(imageNames('[container\nimage = "x-20260101-000000"').includes('x-20260101-000000'));
});

test('configuration and profiles of a directory are read, links and giants are not', () => {
  const top = mkdtempSync(join(tmpdir(), 'coi-images-'));
  try {
    assert.deepEqual(imageNamesIn(join(top, 'gone'), hostFiles), { images: [], complete: true });
    assert.deepEqual(imageNamesIn(top, hostFiles), { images: [], complete: true });
    mkdirSync(join(top, '.coi/profiles/p'), { recursive: true });
    writeFileSync(join(top, '.coi/config.toml'), '[container]\nimage = "a"\n');
    writeFileSync(join(top, '.coi/profiles/p/config.toml'), '[container]\nimage = "b"\n');
    assert.deepEqual(imageNamesIn(top, hostFiles), { images: ['a', 'b'], complete: true });
    mkdirSync(join(top, '.coi/profiles/q'));
    symlinkSync('/etc/passwd', join(top, '.coi/profiles/q/config.toml'));
    assert.equal(imageNamesIn(top, hostFiles).complete, false);
    rmSync(join(top, '.coi/profiles/q'), { recursive: true });
    writeFileSync(join(top, '.coi/config.toml'), Buffer.alloc(2 ** 21));
    assert.equal(imageNamesIn(top, hostFiles).complete, false);
    rmSync(join(top, '.coi'), { recursive: true });
    symlinkSync('/etc', join(top, '.coi'));
    assert.equal(imageNamesIn(top, hostFiles).complete, false);
  } finally {
    rmSync(top, { recursive: true });
  }
});
