// Widths as terminals show them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, cut, cutPath } from './fit.ts';

describe('what fits on a line', () => {
  it('counts columns, not characters', () => {
    assert.equal(cells('shop'), 4);
    assert.equal(cells('日本'), 4);
    assert.equal(cells('e\u0301'), 1);
    assert.equal(cells('🙂'), 2);
  });

  it('leaves alone what fits, and marks what does not', () => {
    assert.equal(cut('heron', 5), 'heron');
    assert.equal(cut('herons', 5), 'hero…');
    assert.equal(cut('日本語', 5), '日本…');
    assert.equal(cut('heron', 1), '…');
    assert.equal(cut('heron', 0), '');
  });

  it('keeps the end of a path, from a slash on where there is one', () => {
    assert.equal(cutPath('~/code/shop', 11), '~/code/shop');
    assert.equal(cutPath('~/code/clients/shop', 12), '…/shop');
    assert.equal(cutPath('~/code/clients/shop', 16), '…/clients/shop');
    assert.equal(cutPath('/averylongname', 6), '…gname');
  });
});
