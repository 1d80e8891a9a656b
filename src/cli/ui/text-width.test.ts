// Text widths as terminals show them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth, truncate, truncatePath } from './text-width.ts';

describe('fitting text to a line', () => {
  it('text width is counted in columns, not characters', () => {
    assert.equal(displayWidth('shop'), 4);
    assert.equal(displayWidth('日本'), 4);
    assert.equal(displayWidth('e\u0301'), 1);
    assert.equal(displayWidth('🙂'), 2);
  });

  it('text that fits is unchanged, cut text is marked', () => {
    assert.equal(truncate('heron', 5), 'heron');
    assert.equal(truncate('herons', 5), 'hero…');
    assert.equal(truncate('日本語', 5), '日本…');
    assert.equal(truncate('heron', 1), '…');
    assert.equal(truncate('heron', 0), '');
  });

  it('a shortened path keeps its end, from a slash on where possible', () => {
    assert.equal(truncatePath('~/code/shop', 11), '~/code/shop');
    assert.equal(truncatePath('~/code/clients/shop', 12), '…/shop');
    assert.equal(truncatePath('~/code/clients/shop', 16), '…/clients/shop');
    assert.equal(truncatePath('/averylongname', 6), '…gname');
  });
});
