import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildScript, customHash, describeStaleBase, parseBuildAlias } from './custom.ts';

test('commands become a script that stops at the first failure; a script keeps its first line', () => {
  assert.equal(buildScript(undefined, ['a', 'b']), '#!/bin/sh\nset -e\na\nb\n');
  assert.equal(buildScript('#!/bin/bash\nx', ['a']), '#!/bin/bash\nx');
  assert.equal(buildScript('x\n', []), '#!/bin/sh\nx\n');
  assert.throws(() => buildScript(undefined, []), /neither a script nor commands/);
});

test('a build cannot take a name that another project uses for a remote image or fingerprint', () => {
  for (const name of ['web', 'coi-1.2/web', 'abcdef01234', 'deadbeefdeadbeef-web', 'f'.repeat(65)])
    assert.equal(parseBuildAlias(name), name);
  for (const name of ['images:debian/13', 'local:web'])
    assert.throws(() => parseBuildAlias(name), /names an image of a remote, so no build can have/);
  for (const name of ['0123456789ab', 'ABCDEF012345', 'f'.repeat(64)])
    assert.throws(() => parseBuildAlias(name), /looks like the fingerprint of an image/);
});

test('an image has another recipe when its script or base changed', () => {
  const hash = customHash({ script: 'a' }, 'base');
  assert.equal(customHash({ script: 'a' }, 'base'), hash);
  assert.notEqual(customHash({ script: 'b' }, 'base'), hash);
  assert.notEqual(customHash({ script: 'a' }, 'other'), hash);
});

test('an image is stale exactly when its base has another version now', () => {
  const image = { properties: { 'user.coi.base': 'old', 'user.coi.base_name': 'coi-default' } };
  assert.match(describeStaleBase(image, () => 'new') ?? '', /older 'coi-default'/);
  assert.equal(
    describeStaleBase(image, () => 'old'),
    undefined,
  );
  assert.equal(
    describeStaleBase(image, () => undefined),
    undefined,
    'a missing base is not stale',
  );
  assert.equal(
    describeStaleBase({ properties: {} }, () => 'new'),
    undefined,
  );
});
