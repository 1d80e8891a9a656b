import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostFiles } from '../host/fs/host-files.ts';
import { namesInToml, referencedNames } from './referenced-names.ts';

test('the session image and the build image are found despite unknown keys', () => {
  const text = 'x = 1\n[container]\nimage = "a"\nwhat = 2\n[container.build]\nbase = "b"\n';
  assert.deepEqual(namesInToml(text), { images: ['a', 'b'], pools: [] });
  assert.deepEqual(namesInToml('[container]\nstorage_pool = "p"').pools, ['p']);
  for (const odd of ['[container]\nimage = 1\nbuild = 2', 'container = 1', ''])
    assert.deepEqual(namesInToml(odd), { images: [], pools: [] }, odd);
});

test('in a file that is not TOML every word counts as a name', () => {
  assert.ok(
    namesInToml('[container\nimage = "x-20260101-000000"').images.includes('x-20260101-000000'),
  );
});

test('configuration and profiles of a directory are read, except links and huge files', () => {
  const top = mkdtempSync(join(tmpdir(), 'coi-images-'));
  try {
    assert.deepEqual(referencedNames(join(top, 'gone'), hostFiles), {
      images: [],
      pools: [],
      complete: true,
    });
    assert.deepEqual(referencedNames(top, hostFiles), { images: [], pools: [], complete: true });
    mkdirSync(join(top, '.coi/profiles/p'), { recursive: true });
    writeFileSync(join(top, '.coi/config.toml'), '[container]\nimage = "a"\n');
    writeFileSync(join(top, '.coi/profiles/p/config.toml'), '[container]\nimage = "b"\n');
    assert.deepEqual(referencedNames(top, hostFiles), {
      images: ['a', 'b'],
      pools: [],
      complete: true,
    });
    mkdirSync(join(top, '.coi/profiles/q'));
    symlinkSync('/etc/passwd', join(top, '.coi/profiles/q/config.toml'));
    assert.equal(referencedNames(top, hostFiles).complete, false);
    rmSync(join(top, '.coi/profiles/q'), { recursive: true });
    writeFileSync(join(top, '.coi/config.toml'), Buffer.alloc(2 ** 21));
    assert.equal(referencedNames(top, hostFiles).complete, false);
    rmSync(join(top, '.coi'), { recursive: true });
    symlinkSync('/etc', join(top, '.coi'));
    assert.equal(referencedNames(top, hostFiles).complete, false);
  } finally {
    rmSync(top, { recursive: true });
  }
});
