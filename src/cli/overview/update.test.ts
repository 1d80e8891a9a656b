// Keys act on the session and the question that the user sees, and on no other.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asking, nowMs, overviewOf, permission, question, row, shownToEnd } from './fixtures.ts';
import type { Key } from './keys.ts';
import {
  armedMs,
  drawn,
  type Overview,
  type Row,
  selectedRow,
  settled,
  visibleRows,
} from './model.ts';
import { type Effect, onKey } from './update.ts';

const keyOf = (word: string): Key =>
  [...word].length === 1 ? { kind: 'text', text: word } : ({ kind: 'named', name: word } as Key);

/** After these keys, with a second between them. */
function press(overview: Overview, ...words: readonly string[]) {
  let [now, effect, atMs]: [Overview, Effect | undefined, number] = [overview, undefined, nowMs];
  for (const word of words) {
    const updated = onKey(now, keyOf(word), atMs);
    effect = updated.effect;
    now = settled(now, updated.overview, atMs);
    atMs += 1000;
  }
  return { overview: now, effect, notice: now.notice?.text ?? '' };
}

const typed = (text: string) => [...text];
const idle = (called: string) => row(called, { kind: 'idle', why: 'finished', said: 'Done.' });
const working = (called: string) => row(called, { kind: 'working' });
const replaced = (overview: Overview, rows: readonly Row[], atMs: number) =>
  settled(overview, { ...overview, rows }, atMs);

describe('an answer', () => {
  it('goes to the question on the screen, by the place of the option or by yes and no', () => {
    const overview = overviewOf([asking('a', [permission('toolu_1')])]);
    for (const [key, words] of [
      ['1', ['yes']],
      ['2', ['no']],
      ['y', ['yes']],
      ['n', ['no']],
    ] as const) {
      const { effect } = press(overview, key);
      assert.ok(effect?.kind === 'answer');
      assert.deepEqual([effect.ask, effect.choice.words], ['toolu_1', words]);
    }
  });

  it('is not given by a key that was pressed when the question had just appeared', () => {
    const before = overviewOf([working('a')]);
    const [first, second] = [asking('a', [permission('1')]), asking('a', [permission('2')])];
    for (const [overview, rows] of [
      [before, [first]],
      [overviewOf([first]), [second]],
      // The same id with another text.
      [overviewOf([first]), [asking('a', [permission('1', { body: 'rm -rf /' })])]],
      // Another session took its place.
      [overviewOf([first]), [asking('b', [permission('1')])]],
    ] as const) {
      const shown = shownToEnd(replaced(overview, rows, nowMs));
      const early = onKey(shown, keyOf('1'), nowMs + armedMs - 1);
      assert.equal(early.effect, undefined);
      assert.equal(onKey(shown, keyOf('1'), nowMs + 5000).effect?.kind, 'answer');
    }
  });

  it('is not given right after the selection has moved to another session', () => {
    const overview = overviewOf([
      asking('a', [permission('1')], nowMs - 9000),
      asking('b', [permission('2')], nowMs - 5000),
    ]);
    const moved = shownToEnd(settled(overview, onKey(overview, keyOf('j'), nowMs).overview, nowMs));
    assert.equal(selectedRow(moved)?.called, 'b');
    assert.equal(onKey(moved, keyOf('1'), nowMs + 100).effect, undefined);
  });

  it('is not given to a question of which the end was not on the screen', () => {
    const before = overviewOf([working('a')]);
    const shown = replaced(before, [asking('a', [permission('1')])], nowMs);
    assert.match(press(shown, '1').notice, /PgDn to read it to its end/);
    const onward = drawn(shown, { scroll: 3, hasEnd: false });
    assert.equal(onKey(onward, keyOf('1'), nowMs + 5000).effect, undefined);
    const back = drawn(shownToEnd(onward), { scroll: 0, hasEnd: false });
    assert.equal(onKey(back, keyOf('1'), nowMs + 5000).effect?.kind, 'answer');
  });

  it('cannot be a paste, nor be given to several questions with one key', () => {
    const overview = overviewOf([asking('a', [permission('1')])]);
    assert.equal(onKey(overview, { kind: 'paste', text: 'yes' }, nowMs).effect, undefined);
    const two = overviewOf([asking('a', [question('1'), question('1:2')])]);
    assert.match(press(two, '1').notice, /Press a/);
    const several = overviewOf([asking('a', [question('1', { multiple: true })])]);
    assert.match(press(several, '1').notice, /Press a/);
  });

  it('is refused for an option that does not exist, a dialog, and a session that asks nothing', () => {
    assert.match(press(overviewOf([asking('a', [permission('1')])]), '3').notice, /no option 3/);
    assert.match(press(overviewOf([asking('a', [question('1')])]), 'y').notice, /no option y/);
    const dialog = asking('a', [{ id: 'dialog', kind: 'dialog', title: 'Trust?', options: [] }]);
    for (const key of ['1', 'a']) {
      assert.match(press(overviewOf([dialog]), key).notice, /Only its terminal/);
      assert.match(press(overviewOf([working('a')]), key).notice, /asks nothing/);
    }
  });

  it('can be a text, several choices, and one choice for each question', () => {
    const one = overviewOf([asking('a', [question('1')])]);
    const own = press(one, 'a', ...typed('green, 2'), 'enter').effect;
    assert.ok(own?.kind === 'answer');
    assert.deepEqual(own.choice, { words: [], text: 'green, 2' });
    const several = overviewOf([asking('a', [question('1', { multiple: true })])]);
    const choice = press(several, 'a', ...typed('1,2'), 'enter').effect;
    assert.ok(choice?.kind === 'answer');
    assert.deepEqual(choice.choice.words, ['1,2']);
    const two = overviewOf([asking('a', [question('1'), question('1:2')])]);
    const both = press(two, 'a', '2', 'enter', '1', 'enter').effect;
    assert.ok(both?.kind === 'answer');
    assert.deepEqual([both.ask, both.choice.words], ['1', ['2', '1']]);
  });

  it('that is being typed stays with its question when the agent asks another one', () => {
    const before = press(overviewOf([asking('a', [question('1')])]), 'a', '1').overview;
    const later = replaced(before, [asking('a', [question('2')])], nowMs);
    const { effect } = press(later, 'enter');
    assert.ok(effect?.kind === 'answer');
    assert.equal(effect.ask, '1');
  });
});

describe('a key', () => {
  it('stays with its session when the order changes', () => {
    const before = overviewOf([idle('a'), idle('b')]);
    assert.equal(selectedRow(before)?.called, 'a');
    const after = replaced(before, [idle('a'), asking('b', [permission('1')])], nowMs);
    assert.equal(selectedRow(after)?.called, 'a');
  });

  it('does not hit the session that takes the place of one that is gone', () => {
    const before = press(overviewOf([working('a'), working('b'), working('c')]), 'j').overview;
    const after = replaced(before, [working('a'), working('c')], nowMs);
    assert.equal(selectedRow(after)?.called, 'c');
    for (const key of ['i', 'x', 'p', 'enter', 's'])
      assert.deepEqual(
        [
          onKey(after, keyOf(key), nowMs + 10).effect,
          onKey(after, keyOf(key), nowMs + 10).overview.mode.kind,
        ],
        [undefined, 'list'],
        key,
      );
    assert.equal(onKey(after, keyOf('i'), nowMs + 5000).effect?.kind, 'interrupt');
  });

  it('sends a message to the session it was begun for, whatever happens to the list', () => {
    const begun = press(overviewOf([working('a'), working('b')]), 's', ...typed('go on')).overview;
    const { effect } = press(replaced(begun, [working('b')], nowMs), 'enter');
    assert.ok(effect?.kind === 'send');
    assert.deepEqual([effect.row.called, effect.text], ['a', 'go on']);
  });

  it('kills only after y, and the session of the question', () => {
    const overview = overviewOf([working('a'), working('b')]);
    assert.equal(press(overview, 'x', 'n').effect, undefined);
    assert.equal(press(overview, 'x', 'enter').effect, undefined);
    const asked = press(overview, 'x').overview;
    const { effect } = press(replaced(asked, [working('b')], nowMs), 'y');
    assert.ok(effect?.kind === 'kill');
    assert.equal(effect.row.called, 'a');
  });

  it('does nothing to a session to which something is being done', () => {
    const busy = overviewOf([asking('a', [permission('1')])], {
      busy: new Map([['id of a', 'answering']]),
    });
    for (const key of ['1', 'y', 's', 'x', 'p'])
      assert.match(press(busy, key).notice, /is busy: answering/, key);
  });

  it('pauses what runs and resumes what is paused, and interrupts only what works', () => {
    assert.equal(press(overviewOf([working('a')]), 'p').effect?.kind, 'pause');
    const paused = overviewOf([row('a', { kind: 'paused', by: 'user' })]);
    assert.equal(press(paused, 'p').effect?.kind, 'unfreeze');
    assert.match(press(overviewOf([idle('a')]), 'i').notice, /does not work/);
  });

  it('goes to the next session that waits, around the end', () => {
    const rows = [asking('a', [permission('1')]), asking('b', [permission('1')]), working('c')];
    const { overview } = press(overviewOf(rows), 'tab');
    assert.equal(selectedRow(overview)?.called, 'b');
    assert.equal(selectedRow(press(overview, 'tab').overview)?.called, 'a');
    assert.match(press(overviewOf([working('c')]), 'tab').notice, /No session waits/);
  });

  it('edits a line in the middle, and a paste in it is text', () => {
    const begun = press(
      overviewOf([idle('a')]),
      's',
      ...typed('a🙂c'),
      'left',
      'backspace',
    ).overview;
    const pasted = onKey(begun, { kind: 'paste', text: 'b\r\nq\u0007' }, nowMs).overview;
    const { effect } = press(pasted, 'end', '!', 'enter');
    assert.ok(effect?.kind === 'send');
    assert.equal(effect.text, 'ab qc!');
  });

  it('whatever it is, has an effect only on a session that the list had when it was pressed', () => {
    const words = [
      '1',
      'y',
      'n',
      'a',
      's',
      'i',
      'x',
      'p',
      'm',
      'j',
      'k',
      'g',
      '/',
      '?',
      'tab',
      'enter',
      'escape',
      'ctrl-c',
      'backspace',
    ];
    const sessions = [
      asking('a', [permission('1')]),
      asking('b', [question('1'), question('1:2')]),
      working('c'),
      idle('d'),
    ];
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constantFrom(...words).map((word) => ({ word })),
            fc.subarray(sessions).map((rows) => ({ rows })),
          ),
          { maxLength: 40 },
        ),
        (steps) => {
          let [overview, atMs] = [overviewOf(sessions), nowMs];
          const known = new Set<string>();
          for (const step of steps) {
            atMs += 300;
            if ('rows' in step) {
              overview = replaced(overview, step.rows, atMs);
              continue;
            }
            for (const { id } of overview.rows) known.add(id);
            const updated = onKey(overview, keyOf(step.word), atMs);
            const { effect } = updated;
            if (effect && 'row' in effect) assert.ok(known.has(effect.row.id));
            if (effect?.kind === 'attach') assert.ok(overview.rows.includes(effect.row));
            overview = settled(overview, updated.overview, atMs);
          }
        },
      ),
    );
  });
});

it('a filter is typed, and escape clears it', () => {
  const rows = [asking('a', [permission('1')]), asking('b', [permission('1')]), idle('b2')];
  const { overview } = press(overviewOf(rows), '/', ...typed('asks B'), 'enter');
  assert.deepEqual(
    visibleRows(overview).map(({ called }) => called),
    ['b'],
  );
  assert.equal(visibleRows(press(overview, 'escape').overview).length, rows.length);
});
