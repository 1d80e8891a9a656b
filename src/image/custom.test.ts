import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildScript, builtAlias, customHash, staleBase } from './custom.ts';

test('commands become a script that ends with the first that fails; a script keeps its first line', () => {
  assert.equal(buildScript(undefined, ['a', 'b']), '#!/bin/sh\nset -e\na\nb\n');
  assert.equal(buildScript('#!/bin/bash\nx', ['a']), '#!/bin/bash\nx');
  assert.equal(buildScript('x\n', []), '#!/bin/sh\nx\n');
  assert.throws(() => buildScript(undefined, []), /neither a script nor commands/);
});

test('a build cannot take a name by which another project asks for an image of a remote or a fingerprint', () => {
  for (const name of ['web', 'coi-1.2/web', 'abcdef01234', 'deadbeefdeadbeef-web', 'f'.repeat(65)])
    assert.equal(builtAlias(name), name);
  for (const name of ['images:debian/13', 'local:web'])
    assert.throws(() => builtAlias(name), /names an image of a remote, so no build can have/);
  for (const name of ['0123456789ab', 'ABCDEF012345', 'f'.repeat(64)])
    assert.throws(() => builtAlias(name), /looks like the fingerprint of an image/);
});

test('an image is of another recipe when its script or its base changed', () => {
  const hash = customHash({ script: 'a' }, 'base');
  assert.equal(customHash({ script: 'a' }, 'base'), hash);
  assert.notEqual(customHash({ script: 'b' }, 'base'), hash);
  assert.notEqual(customHash({ script: 'a' }, 'other'), hash);
});

test('an image is stale when its base has another version now, and only then', () => {
  const image = { properties: { 'user.coi.base': 'old', 'user.coi.base_name': 'coi-default' } };
  assert.match(staleBase(image, () => 'new') ?? '', /older 'coi-default'/);
  assert.equal(
    staleBase(image, () => 'old'),
    undefined,
  );
  assert.equal(
    staleBase(image, () => undefined),
    undefined,
    'a base that is gone says nothing',
  );
  assert.equal(
    staleBase({ properties: {} }, () => 'new'),
    undefined,
  );
});
