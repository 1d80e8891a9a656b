import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMount, planMounts } from './extra-mounts.ts';

test('--mount takes HOST:CONTAINER with an optional :ro, and relative and ~ sources', () => {
  assert.deepEqual(parseMount('data:/data', '/cwd', '/home/u'), {
    host: '/cwd/data',
    container: '/data',
    readonly: false,
  });
  assert.deepEqual(parseMount('~/d:/data:ro', '/cwd', '/home/u'), {
    host: '/home/u/d',
    container: '/data',
    readonly: true,
  });
  for (const text of ['', 'x', ':/x', 'x:', 'a:b:c:d:'])
    assert.throws(() => parseMount(text, '/', '/h'), { code: 'usage' });
});

test('mounts that hide each other are refused unless the inner one is read-only', () => {
  const mount = (container: string, readonly = false) => ({ host: '/h', container, readonly });
  assert.equal(planMounts([mount('/a'), mount('/b')], ['/workspace'], []).length, 2);
  assert.equal(planMounts([mount('/workspace/docs', true)], ['/workspace'], []).length, 1);
  for (const mounts of [
    [mount('/a'), mount('/a/')],
    [mount('/a'), mount('/a/b')],
    [mount('/workspace/x')],
    [mount('/workspace')],
    [mount('/')],
    [mount('relative')],
  ]) {
    assert.throws(() => planMounts(mounts, ['/workspace'], []), { code: 'mount-invalid' });
  }
  for (const target of ['/proc', '/run/x', '/dev/shm/', '/etc', '/usr/../usr', '/home/code']) {
    assert.throws(() => planMounts([mount(target, true)], [], []), {
      code: 'mount-invalid',
      message: /own files/,
    });
  }
  assert.equal(planMounts([mount('/etc/ssl/mine'), mount('/home/code/notes')], [], []).length, 2);
  assert.equal(planMounts([mount('/ab'), mount('/a')], [], []).length, 2);
});

test('a mount source in the workspace is marked as such, by name or by real path', () => {
  const mounts = ['/home/u/proj', '/data/proj/a/b', '/home/u/proj/c', '/data/project', '/x'].map(
    (host, at) => ({ host, container: `/m${at}`, readonly: false }),
  );
  const planned = planMounts(mounts, [], ['/home/u/proj', '/data/proj']);
  assert.deepEqual(
    planned.map(({ inside }) => inside),
    ['.', 'a/b', 'c', undefined, undefined],
  );
});
