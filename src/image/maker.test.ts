import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageKeys } from '../instance-keys.ts';
import { isDefaultImage, makerOf, refuseReplaced } from './maker.ts';

const gone = '/gone';
const facts = {
  home: '/home/u',
  realPath: (path: string) =>
    path === gone ? undefined : path === '/link' || path === '/old' ? '/w' : path,
};
const maker = (...sources: (string | undefined)[]) => makerOf(sources, facts);

test('a recipe is of the project that any part of it stands in, or else of the user', () => {
  assert.equal(maker(), '/home/u');
  assert.equal(maker(undefined, 'built in', '/home/u/.coi/config.toml'), '/home/u');
  assert.equal(maker('/home/u/.coi/profiles/web/config.toml'), '/home/u');
  assert.equal(maker('/w/.coi/config.toml'), '/w');
  assert.equal(maker('/link/.coi/profiles/web/config.toml'), '/w');
  assert.equal(maker('/home/u/.coi/config.toml', '/w/.coi/config.toml'), '/w');
  assert.equal(maker('/team/coi.conf'), '/team');
  assert.equal(maker('/team/profiles/web/config.toml'), '/team');
});

test('an image of another project is not replaced, while that project is there', () => {
  const replace = (before: string | undefined, by: string) =>
    refuseReplaced(
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
  // The same one, also under the name that it had; one that is gone; one that nobody knows of.
  for (const before of ['/w', '/old', gone, undefined, 'odd']) replace(before, '/w');
  refuseReplaced('web', { properties: {} }, '/w', facts);
});

test('the default image and its versions are no names for a build of a project', () => {
  for (const name of ['coi-default', 'coi-default-20260131-235959'])
    assert.ok(isDefaultImage(name), name);
  for (const name of ['coi-default-web', 'web-20260131-235959', 'my-coi-default'])
    assert.ok(!isDefaultImage(name), name);
});
