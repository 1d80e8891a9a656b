import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { compareDebianVersions, installedVersion, withoutBackport } from './debian-version.ts';

test('versions are ordered as by dpkg', () => {
  const versions = [
    ...['6.0.4-2+deb13u7', '6.0.4-2+deb13u7~bpo12+1', '6.0.4-2+deb13u12', '6.0.4-2', '7.0.2-3'],
    ...['7.0.2-3+b1', '7.0.2~rc1-1', '1:6.0-1', '6.0', '6.00', '6.0-0', '7.10-1', '7.9-1'],
    ...['2.0a', '2.0+', '2.0', '2.0~', '2.0~~', ''],
  ];
  for (const a of versions) {
    for (const b of versions) {
      const compared = compareDebianVersions(a, b);
      const relation = compared < 0 ? 'lt' : compared > 0 ? 'gt' : 'eq';
      const { status } = spawnSync('dpkg', ['--compare-versions', a, relation, b]);
      assert.equal(status, 0, `${a} ${relation} ${b}`);
    }
  }
});

test('a backport counts as the version it was made from', () => {
  assert.equal(withoutBackport('6.0.4-2+deb13u7~bpo12+1'), '6.0.4-2+deb13u7');
  assert.equal(withoutBackport('6.0.4-2+deb13u7'), '6.0.4-2+deb13u7');
});

test('only an installed package has a version', () => {
  const entry = (name: string, state: string, version: string) =>
    `Package: ${name}\nStatus: install ok ${state}\nVersion: ${version}\nDescription: any\n Package: incus\n`;
  const status = [
    entry('incus-base-extra', 'installed', '1'),
    entry('incus', 'installed', '6.0.4-2'),
    entry('incus-base', 'config-files', '6.0.3'),
  ].join('\n');
  assert.equal(installedVersion(status, 'incus'), '6.0.4-2');
  assert.equal(installedVersion(status, 'incus-base'), undefined);
  assert.equal(installedVersion(status, 'incus-base-extra'), '1');
  for (const text of ['', 'Package: incus', 'Package: other\n'])
    assert.equal(installedVersion(text, 'incus'), undefined);
});
