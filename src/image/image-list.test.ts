import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitVersions } from './image-list.ts';

const image = (fingerprint: string, ...aliases: string[]) => ({
  fingerprint,
  aliases,
  sizeBytes: 1,
  createdAt: '',
  uploadedAt: '',
  description: '',
});

test('only the oldest versions of a prefix are deleted', () => {
  const images = [
    image('a', 'web-20260101-000000'),
    image('b', 'web-20260301-000000'),
    image('c', 'web-20260201-000000'),
    image('d', 'other-20250101-000000'),
    image('e', 'web-latest'),
  ];
  const { kept, obsolete } = splitVersions(images, 'web-', 1);
  assert.deepEqual(kept, ['web-20260301-000000']);
  assert.deepEqual(
    obsolete.map(({ fingerprint }) => fingerprint),
    ['a', 'c'],
  );
});

test('a version that is in use under another name stays, however old it is', () => {
  const images = [image('a', 'web', 'web-20260101-000000'), image('b', 'web-20260301-000000')];
  assert.deepEqual(splitVersions(images, 'web', 1).obsolete, []);
});
