import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'smol-toml';
import { movedText } from './moved-text.ts';

const read = (text: string) => structuredClone(parse(text));

test('old keys go to their places, and comments, order and everything else stay', () => {
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
  const { text, moved, byHand } = movedText(old, 'config');
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

test('a section that is there takes the key; a profile has them at its top', () => {
  const { text } = movedText('image = "a"\n[container]\nalias = "b"\n', 'profile');
  assert.deepEqual(read(text), { container: { image: 'a', alias: 'b' } });
  const windows = movedText('image = "a"\r\nmodel = "m"\r\n', 'profile').text;
  assert.deepEqual(read(windows), { model: 'm', container: { image: 'a' } });
});

test('several keys keep their order in a section that is there, whichever it is', () => {
  const old = '[container]\nalias = "a"\n[defaults]\npersistent = true\nimage = "web"\n';
  assert.equal(
    movedText(old, 'config').text,
    '[container]\npersistent = true\nimage = "web"\nalias = "a"\n[defaults]\n',
  );
});

test('what cannot be moved for certain is left as it is, with the reason', () => {
  for (const [old, reason] of [
    ['[defaults]\nimage = "a"\n[container]\nimage = "b"\n', /is there twice/],
    ['defaults = { image = "a" }\n', /only you/],
    ['build = { base = "a" }\n', /only you/],
    ['[defaults]\nimage = """\na"""\n', /only you/],
    ['container = { alias = "b" }\n[defaults]\nimage = "a"\n', /only you/],
  ] as const) {
    const { text, moved, byHand } = movedText(old, 'config');
    assert.equal(text, old);
    assert.deepEqual(moved, []);
    assert.match(byHand[0]?.text ?? '', reason);
  }
});

test('dotted keys are moved where they stand', () => {
  assert.deepEqual(read(movedText('defaults.image = "a"\n', 'config').text), {
    container: { image: 'a' },
  });
});

test('a file without old keys stays to the letter', () => {
  const text = '[container]\nimage="a"';
  assert.deepEqual(movedText(text, 'config'), { text, moved: [], byHand: [] });
});
