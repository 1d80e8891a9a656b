import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mountsMax } from '../../coid-api/protocol.ts';
import { CoiError } from '../../errors.ts';
import { parseReserveRequest } from './requests.ts';

const valid = {
  prefix: 'coi-',
  hash: '0123abcd',
  slot: { kind: 'from', slot: 2 },
  session: '11111111-2222-3333-4444-555555555555',
  startId: '99999999-2222-3333-4444-555555555555',
  workspace: '/home/u/../u/project',
  mounts: [{ name: 'workspace', source: '/home/u/project', readonly: false }],
  network: 'restricted',
};

function refused(change: Record<string, unknown>): void {
  assert.throws(
    () => parseReserveRequest({ ...valid, ...change }),
    (error) => error instanceof CoiError,
    JSON.stringify(change),
  );
}

test('a valid reservation is accepted, with normalized paths', () => {
  const request = parseReserveRequest(valid);
  assert.equal(request.workspace, '/home/u/project');
  assert.deepEqual(request.slot, { kind: 'from', slot: 2 });
  assert.equal('container' in request, false);
  assert.equal(parseReserveRequest({ ...valid, container: 'mine' }).container, 'mine');
});

test('names that could escape their directory are refused', () => {
  for (const name of ['', '.', '..', '../x', 'a/b', 'a\n', 'a\0', '-x', 'x'.repeat(64)]) {
    refused({ mounts: [{ name, source: '/a', readonly: true }] });
  }
  for (const session of ['', '../../etc', 'a.b', '-x', 'x'.repeat(129)]) refused({ session });
  for (const startId of ['', 'x', '../x', undefined]) refused({ startId });
  for (const container of ['', '../x', 'a/b', 'x'.repeat(64)]) refused({ container });
  for (const prefix of ['', '../', 'x/', '-']) refused({ prefix });
  for (const hash of ['', '0123abc', '0123abcd9', '../../..', '0123ABCD']) refused({ hash });
});

test('relative paths and invalid slots are refused', () => {
  for (const workspace of ['', 'x', './x', '/a\0b', '/'.repeat(4097)]) refused({ workspace });
  for (const source of ['', 'x', '/a\0b'])
    refused({ mounts: [{ name: 'a', source, readonly: true }] });
  for (const slot of [0, 100, 1.5, -1, Number.NaN, '1']) refused({ slot: { kind: 'from', slot } });
});

test('duplicate mount names, too many mounts and unknown keys are refused', () => {
  const mount = valid.mounts[0];
  refused({ mounts: [mount, mount] });
  refused({
    mounts: Array.from({ length: mountsMax + 1 }, (_, at) => ({ ...mount, name: `m${at}` })),
  });
  refused({ ownerUid: 0 });
});

test('any JSON either parses as a reservation or throws CoiError', () => {
  const nearly = fc.record(
    Object.fromEntries(
      Object.entries(valid).map(([key, value]) => [
        key,
        fc.oneof(fc.constant(value), fc.jsonValue()),
      ]),
    ),
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), nearly), (body) => {
      try {
        parseReserveRequest(body);
      } catch (error) {
        assert.ok(error instanceof CoiError, String(error));
      }
    }),
  );
});
