// When coi uses colours.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleFor } from './style.ts';

const colours = (isTTY: boolean, env: Record<string, string>) =>
  styleFor({ isTTY }, env).red('x') !== 'x';

test('a terminal gets colours, a pipe none', () => {
  assert.equal(colours(true, { TERM: 'xterm' }), true);
  assert.equal(colours(true, { TERM: 'dumb' }), false);
  assert.equal(colours(false, { TERM: 'xterm' }), false);
});

test('NO_COLOR wins over FORCE_COLOR, and FORCE_COLOR over NODE_DISABLE_COLORS and the terminal', () => {
  const terminal = { TERM: 'xterm' };
  for (const none of ['0', 'false'])
    assert.equal(colours(true, { ...terminal, FORCE_COLOR: none }), false, `FORCE_COLOR=${none}`);
  assert.equal(colours(false, { FORCE_COLOR: '1' }), true);
  assert.equal(colours(true, { ...terminal, NO_COLOR: '1', FORCE_COLOR: '1' }), false);
  assert.equal(colours(true, { ...terminal, NODE_DISABLE_COLORS: '1' }), false);
  assert.equal(colours(true, { ...terminal, NODE_DISABLE_COLORS: '1', FORCE_COLOR: '1' }), true);
  assert.equal(colours(true, { ...terminal, NO_COLOR: '', FORCE_COLOR: '' }), true);
});
