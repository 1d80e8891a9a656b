import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageKeys } from '../instance-keys.ts';
import { isDefaultImage, makerOf, refuseReplacement } from './maker.ts';

const deleted = '/gone';
const facts = {
  home: '/home/u',
  realPath: (path: string) =>
    path === deleted ? undefined : path === '/link' || path === '/old' ? '/w' : path,
};
const maker = (...sources: (string | undefined)[]) => makerOf(sources, facts);

test('a recipe belongs to the project that contains any part of it, or else to the user', () => {
  assert.equal(maker(), '/home/u');
  assert.equal(maker(undefined, 'built in', '/home/u/.coi/config.toml'), '/home/u');
  assert.equal(maker('/home/u/.coi/profiles/web/config.toml'), '/home/u');
  assert.equal(maker('/w/.coi/config.toml'), '/w');
  assert.equal(maker('/link/.coi/profiles/web/config.toml'), '/w');
  assert.equal(maker('/home/u/.coi/config.toml', '/w/.coi/config.toml'), '/w');
  assert.equal(maker('/team/coi.conf'), '/team');
  assert.equal(maker('/team/profiles/web/config.toml'), '/team');
});

test("another project's image is not replaced while that project exists", () => {
  const replace = (before: string | undefined, by: string) =>
    refuseReplacement(
      'web',
      before === undefined ? undefined : { properties: { [imageKeys.maker]: before } },
      by,
      facts,
    );
  assert.throws(() => replace('/other', '/w'), {
    code: 'config-invalid',
    message: `the image 'web' was built for "/other"`,
    hint: /\[container\] image.*`coi image delete web`/,
  });
  assert.throws(() => replace('/home/u', '/w'), /built for your own configuration/);
  assert.throws(() => replace('/w', '/home/u'), /built for "\/w"/);
  // The same project, also under its former path; a deleted one; an unknown one.
  for (const before of ['/w', '/old', deleted, undefined, 'odd']) replace(before, '/w');
  refuseReplacement('web', { properties: {} }, '/w', facts);
});

test("a project's build cannot use the name of the default image or its versions", () => {
  for (const name of ['coi-default', 'coi-default-20260131-235959'])
    assert.ok(isDefaultImage(name), name);
  for (const name of ['coi-default-web', 'web-20260131-235959', 'my-coi-default'])
    assert.ok(!isDefaultImage(name), name);
});
