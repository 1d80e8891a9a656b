import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hidden, masked } from './masked.ts';

test('values of variables are hidden, but of those that hold no secret anywhere', () => {
  assert.deepEqual(
    masked('defaults.environment', {
      NODE_ENV: 'test',
      OPENAI_API_KEY: 'sk-1',
      MINE: 'x',
      DATABASE_URL: 'postgres://me:word@db',
      EMPTY: '',
    }),
    { NODE_ENV: 'test', OPENAI_API_KEY: hidden, MINE: hidden, DATABASE_URL: hidden, EMPTY: '' },
  );
  assert.deepEqual(masked('tools', { mine: { command: ['x'], environment: { KEY: 'sk-2' } } }), {
    mine: { command: ['x'], environment: { KEY: hidden } },
  });
  assert.equal(masked('container.image', 'x'), 'x');
});
