import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { migrateText } from './migrate-text.ts';

const read = (text: string) => structuredClone(parse(text));

test('old keys move to their new sections; comments, order and everything else stay', () => {
  const old = `# mine
[defaults]
image = "web"   # the usual one
persistent = true
model = "opus"

[build]
base = "images:debian/12"
[build.more]
x = 1

[[mounts]]
host = "/srv"
`;
  const { text, moved, byHand } = migrateText(old, 'config');
  assert.deepEqual(byHand, []);
  assert.deepEqual(
    moved.map(({ key }) => key),
    ['defaults.image', 'defaults.persistent', 'build'],
  );
  assert.equal(
    text,
    `# mine
[defaults]
model = "opus"

[container.build]
base = "images:debian/12"
[container.build.more]
x = 1

[[mounts]]
host = "/srv"

[container]
image = "web"   # the usual one
persistent = true
`,
  );
});

test('a moved key goes into an existing section; profiles have it at the top', () => {
  const { text } = migrateText('image = "a"\n[container]\nalias = "b"\n', 'profile');
  assert.deepEqual(read(text), { container: { image: 'a', alias: 'b' } });
  const windows = migrateText('image = "a"\r\nmodel = "m"\r\n', 'profile').text;
  assert.deepEqual(read(windows), { model: 'm', container: { image: 'a' } });
});

test('several moved keys keep their order in an existing section', () => {
  const old = '[container]\nalias = "a"\n[defaults]\npersistent = true\nimage = "web"\n';
  assert.equal(
    migrateText(old, 'config').text,
    '[container]\npersistent = true\nimage = "web"\nalias = "a"\n[defaults]\n',
  );
});

test('keys that cannot be moved safely stay, with a reason', () => {
  for (const [old, reason] of [
    ['[defaults]\nimage = "a"\n[container]\nimage = "b"\n', /is duplicated/],
    ['defaults = { image = "a" }\n', /cannot be moved automatically/],
    ['build = { base = "a" }\n', /cannot be moved automatically/],
    ['[defaults]\nimage = """\na"""\n', /cannot be moved automatically/],
    ['container = { alias = "b" }\n[defaults]\nimage = "a"\n', /cannot be moved automatically/],
  ] as const) {
    const { text, moved, byHand } = migrateText(old, 'config');
    assert.equal(text, old);
    assert.deepEqual(moved, []);
    assert.match(byHand[0]?.text ?? '', reason);
  }
});

test('dotted keys are moved in place', () => {
  assert.deepEqual(read(migrateText('defaults.image = "a"\n', 'config').text), {
    container: { image: 'a' },
  });
});

test('a file without old keys stays byte for byte', () => {
  const text = '[container]\nimage="a"';
  assert.deepEqual(migrateText(text, 'config'), { text, moved: [], byHand: [] });
});
