import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPort, findPort, parsePortForward, sessionUsingPort } from './live-ports.ts';
import { recordedPorts, removePorts } from './ports.ts';

const web = parsePortForward('8080:3000', 'web');
const plain = parsePortForward('5173', undefined);

test('one number is both ports, two are host and session', () => {
  assert.deepEqual([plain.host, plain.container, plain.listen], [5173, 5173, '127.0.0.1']);
  assert.deepEqual([web.host, web.container, web.name], [8080, 3000, 'web']);
  for (const bad of ['', '0', '65536', '1:0', '1:', ':1', '1:2:3', ' 1', '1 ', '-1', '1e3', '٣'])
    assert.throws(() => parsePortForward(bad, undefined), { code: 'usage' }, bad);
  for (const bad of ['', '1a', 'a b', 'a.b', 'a'.repeat(33)])
    assert.throws(() => parsePortForward('80', bad), { code: 'usage' }, bad);
});

test('a port and a name forward into a session once', () => {
  const both = addPort(addPort([], web), plain);
  assert.deepEqual(both, [web, plain]);
  assert.throws(
    () => addPort(both, parsePortForward('8080:1', undefined)),
    /is already forwarded to the session/,
  );
  assert.throws(() => addPort(both, parsePortForward('1:1', 'web')), /the name "web" is taken/);
  // A name that would create another port's device.
  assert.throws(
    () => addPort([{ ...plain, name: 'a.b' }], parsePortForward('2', 'a-b')),
    /is taken/,
  );
  assert.equal(findPort(both, 'web'), web);
  assert.equal(findPort(both, '5173'), plain);
  assert.throws(() => findPort(both, '3000'), { hint: 'Use one of: web, 5173.' });
  assert.equal(sessionUsingPort([{ name: 'a', ports: both }], 8080), 'a');
  assert.equal(sessionUsingPort([{ name: 'a', ports: both }], 3000), undefined);
});

test('the ports key is read as written, and invalid values are ignored', () => {
  assert.deepEqual(recordedPorts(JSON.stringify([web, plain])), [
    web,
    JSON.parse(JSON.stringify(plain)),
  ]);
  for (const bad of [undefined, '', '{', '{}', 'null', '[null,1,{"host":"x"}]'])
    assert.deepEqual(recordedPorts(bad), [], bad);
  assert.deepEqual(removePorts([web], []), { gone: [], config: {} });
  assert.deepEqual(removePorts([web], [plain]), {
    gone: ['coi-port-5173'],
    config: { 'user.coi.ports': JSON.stringify([web]) },
  });
});
