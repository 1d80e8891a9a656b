import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstSlot, parseSessionId, slotNumber } from '../../names.ts';
import { metadataText, parseMetadata, type SessionMetadata } from './metadata.ts';

const id = parseSessionId('0b7e3c1a-1111-4222-8333-444455556666');
const line = fc
  .string({ minLength: 1, maxLength: 30 })
  .filter((text) => !/[\u0000-\u001f\u007f]/.test(text));

test('metadata is read back as written, whatever the paths contain', () => {
  const metadata: fc.Arbitrary<SessionMetadata> = fc.record(
    {
      sessionId: fc.constant(id),
      container: fc.constant('coi-0123abcd-3'),
      persistent: fc.boolean(),
      profile: fc.option(line, { nil: undefined }),
      workspace: fc.option(
        line.map((text) => `/${text}`),
        { nil: undefined },
      ),
      savedAt: fc.option(
        fc
          .date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
          .map((date) => new Date(Math.trunc(date.getTime() / 1000) * 1000)),
        { nil: undefined },
      ),
      tool: fc.constant('claude'),
      slot: fc.integer({ min: 1, max: 10 }).map(slotNumber),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(metadata, (given) =>
      assert.deepEqual(parseMetadata(metadataText(given), id, 'claude'), given),
    ),
  );
});

test("metadata keys are the predecessor's, in both spellings, one per line", () => {
  const text = metadataText({
    sessionId: id,
    container: 'coi-0123abcd-1',
    persistent: true,
    profile: 'web',
    workspace: '/p',
    savedAt: new Date(0),
    tool: 'claude',
    slot: firstSlot,
  });
  const keys = Object.keys(JSON.parse(text));
  assert.deepEqual(keys, [
    'session_id',
    'container_name',
    'persistent',
    'profile',
    'profile_name',
    'workspace',
    'saved_at',
    'tool',
    'slot',
  ]);
  for (const key of keys) assert.match(text, new RegExp(`^  "${key}": .*$`, 'm'));
  assert.match(text, /"saved_at": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"/);
});

test('metadata of version 0.8 is read, even if broken by a quote in the path', () => {
  const text = `{
  "session_id": "${id}",
  "container_name": "coi-0123abcd-2",
  "persistent": true,
  "workspace": "/home/u/my "new" project",
  "saved_at": "2026-01-02T03:04:05+01:00"
}
`;
  assert.throws(() => JSON.parse(text));
  const metadata = parseMetadata(text, id, 'claude');
  assert.equal(metadata?.workspace, '/home/u/my "new" project');
  assert.equal(metadata?.persistent, true);
  assert.equal(metadata?.savedAt?.toISOString(), '2026-01-02T02:04:05.000Z');
  assert.equal(metadata?.slot, 2);
});

test('invalid metadata has no fields', () => {
  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    '"x"',
    '7',
    '{"container_name": 7}',
    '\0',
    '{"container_name": "a\\nb"}',
  ]) {
    assert.equal(parseMetadata(text, id, 'claude'), undefined, JSON.stringify(text));
  }
});

test('reading metadata never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseMetadata(text, id, 'claude')),
  );
});
