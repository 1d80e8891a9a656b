import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hidden, maskValue } from './mask-value.ts';

test('values of variables are hidden, except those that never hold a secret', () => {
  assert.deepEqual(
    maskValue('defaults.environment', {
      NODE_ENV: 'test',
      OPENAI_API_KEY: 'sk-1',
      MINE: 'x',
      DATABASE_URL: 'postgres://me:word@db',
      EMPTY: '',
    }),
    { NODE_ENV: 'test', OPENAI_API_KEY: hidden, MINE: hidden, DATABASE_URL: hidden, EMPTY: '' },
  );
  assert.deepEqual(maskValue('tools', { mine: { command: ['x'], environment: { KEY: 'sk-2' } } }), {
    mine: { command: ['x'], environment: { KEY: hidden } },
  });
  assert.equal(maskValue('container.image', 'x'), 'x');
});
