import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedPort, portNamed, sessionWith, withPort } from './live-ports.ts';
import { recordedPorts, withoutPorts } from './ports.ts';

const web = askedPort('8080:3000', 'web');
const plain = askedPort('5173', undefined);

test('one number is both ports, two are host and session', () => {
  assert.deepEqual([plain.host, plain.container, plain.listen], [5173, 5173, '127.0.0.1']);
  assert.deepEqual([web.host, web.container, web.name], [8080, 3000, 'web']);
  for (const bad of ['', '0', '65536', '1:0', '1:', ':1', '1:2:3', ' 1', '1 ', '-1', '1e3', '٣'])
    assert.throws(() => askedPort(bad, undefined), { code: 'usage' }, bad);
  for (const bad of ['', '1a', 'a b', 'a.b', 'a'.repeat(33)])
    assert.throws(() => askedPort('80', bad), { code: 'usage' }, bad);
});

test('a port and a name lead into a session once', () => {
  const both = withPort(withPort([], web), plain);
  assert.deepEqual(both, [web, plain]);
  assert.throws(
    () => withPort(both, askedPort('8080:1', undefined)),
    /leads into the session already/,
  );
  assert.throws(() => withPort(both, askedPort('1:1', 'web')), /the name "web" is taken/);
  // A name that would make the device of another port.
  assert.throws(() => withPort([{ ...plain, name: 'a.b' }], askedPort('2', 'a-b')), /is taken/);
  assert.equal(portNamed(both, 'web'), web);
  assert.equal(portNamed(both, '5173'), plain);
  assert.throws(() => portNamed(both, '3000'), { hint: 'These do: web, 5173.' });
  assert.equal(sessionWith([{ name: 'a', ports: both }], 8080), 'a');
  assert.equal(sessionWith([{ name: 'a', ports: both }], 3000), undefined);
});

test('what is written in the key is read as it is, and nothing else', () => {
  assert.deepEqual(recordedPorts(JSON.stringify([web, plain])), [
    web,
    JSON.parse(JSON.stringify(plain)),
  ]);
  for (const bad of [undefined, '', '{', '{}', 'null', '[null,1,{"host":"x"}]'])
    assert.deepEqual(recordedPorts(bad), [], bad);
  assert.deepEqual(withoutPorts([web], []), { gone: [], config: {} });
  assert.deepEqual(withoutPorts([web], [plain]), {
    gone: ['coi-port-5173'],
    config: { 'user.coi.ports': JSON.stringify([web]) },
  });
});
