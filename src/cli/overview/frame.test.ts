// The overview fits into every terminal, and shows the question in full.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { plain, styleFor } from '../ui/style.ts';
import { displayWidth } from '../ui/text-width.ts';
import { asking, nowMs, overviewOf, permission, question, row, shownToEnd } from './fixtures.ts';
import { frameOf } from './frame.ts';
import { newLine } from './line-edit.ts';
import { emptyOverview, type Mode, type Overview, settled } from './model.ts';

const facts = { columns: 80, rows: 24, nowMs, home: '/home/ada', style: plain };
const coloured = styleFor({ isTTY: true }, {});
const linesOf = (overview: Overview, more: Partial<typeof facts> = {}) =>
  frameOf(overview, { ...facts, ...more }).lines;
const textOf = (overview: Overview, more: Partial<typeof facts> = {}) =>
  linesOf(overview, more).join('\n');

const long = Array.from({ length: 60 }, (_, at) => `echo line ${at} && sleep 1`).join('\n');
const several = [
  asking('shop', [permission('1', { body: 'git push --force origin main' })]),
  asking('api', [question('2'), question('2:2', { title: 'Which size?' })], nowMs - 5000),
  row('docs', { kind: 'idle', why: 'finished', said: 'All done.' }, { unseen: true }),
  row('web', { kind: 'working', sinceMs: nowMs - 7200_000 }, { attached: true }),
];

describe('the overview', () => {
  it('shows the question of the selected session in full, with the keys that answer it', () => {
    const text = textOf(overviewOf(several));
    assert.match(text, /^2 asking · 1 finished · 1 working · 4 sessions/);
    assert.match(text, /^> shop +asks +1m {2}Bash: git push --force origin main$/m);
    assert.match(text, /^── shop · claude · ~\/shop ─+$/m);
    assert.match(text, /^Bash\n {2}git push --force origin main\n 1 {2}yes\n 2 {2}no$/m);
    assert.match(text, /1-9 y n answer/);
  });

  it('shows all questions of one call, and notes', () => {
    const text = textOf(overviewOf(several, { selected: 'id of api' }));
    assert.match(
      text,
      /Which colour\?\n 1 {2}Red\n 2 {2}Blue {2}\(as now\)\nWhich size\?\n 1 {2}Red/,
    );
    assert.match(text, /\? help {2}a answer/);
  });

  it('says which keys answer only when they do', () => {
    const fresh = shownToEnd(settled(emptyOverview, { ...emptyOverview, rows: several }, nowMs));
    assert.doesNotMatch(textOf(fresh), /1-9 y n answer/);
    assert.match(textOf(fresh, { nowMs: nowMs + 1000 }), /1-9 y n answer/);
  });

  it('keeps the slot of a long name, and the width of a text that is far to the right', () => {
    const body = `echo safe\n${' '.repeat(200)}${'x'.repeat(90)}`;
    const overview = overviewOf([asking('coi-1d2e1ae7-12', [permission('1', { body })])]);
    const text = textOf(overview, { columns: 40 });
    assert.match(text, /^> coi-1d2e1…-12 /m);
    assert.match(text, /^ {13}x{20,}$/m);
  });

  it('scrolls a question that is longer than the screen to its end', () => {
    const overview = overviewOf([asking('shop', [permission('1', { body: long })])]);
    assert.match(textOf(overview), /PgDn: more/);
    assert.doesNotMatch(textOf(overview), /line 59/);
    assert.deepEqual(frameOf(overview, facts).shown, { scroll: 0, hasEnd: false });
    const end = frameOf({ ...overview, scroll: 1000 }, facts).shown;
    assert.equal(end?.hasEnd, true);
    assert.ok(end.scroll < 70, `${end.scroll}`);
    assert.match(textOf({ ...overview, scroll: 1000 }), /line 59[\s\S]* 1 {2}yes\n 2 {2}no/);
  });

  it('keeps the selected session in sight, and its details, in a long list', () => {
    const rows = Array.from({ length: 40 }, (_, at) => row(`s${at}`, { kind: 'working' }));
    for (const one of rows)
      for (const size of [
        { columns: 40, rows: 10 },
        { columns: 200, rows: 60 },
      ]) {
        const text = textOf(overviewOf(rows, { selected: one.id }), size);
        assert.match(text, new RegExp(`^> ${one.called} `, 'm'));
        assert.match(text, new RegExp(`── ${one.called} ·`));
      }
  });

  it('shows the last lines of the screen of that session only', () => {
    const lines = ['first', 'second \u202e hidden', 'last'];
    const preview = { id: 'id of web', lines };
    const text = textOf(overviewOf(several, { selected: 'id of web', preview }));
    assert.match(text, /│ first\n│ second .*hidden\n│ last/);
    assert.doesNotMatch(textOf(overviewOf(several, { preview })), /│ last/);
  });

  it('shows the end of a long line of input, with the cursor in it', () => {
    const [one] = several;
    assert.ok(one);
    const line = newLine('x'.repeat(200).concat('END'));
    const mode = { kind: 'send', line, row: one } as const;
    const { lines, cursor } = frameOf({ ...overviewOf(several), mode }, facts);
    assert.match(lines.at(-1) ?? '', /^Send to shop: x+END$/);
    assert.deepEqual(cursor, { row: 23, column: 79 });
  });

  it('has help that can be read to its end on 10 rows', () => {
    const help = { ...overviewOf(several), mode: { kind: 'help' } } as const;
    const first = textOf(help, { columns: 40, rows: 10 });
    assert.match(first, /Enter[\s\S]*scroll/);
    assert.match(textOf({ ...help, scroll: 100 }, { columns: 40, rows: 10 }), /q +quit/);
  });

  it('says what to do without sessions, and with a filter that nothing fits', () => {
    assert.match(textOf(overviewOf([])), /`coi shell` in a project/);
    assert.match(textOf(overviewOf(several, { filter: 'nothing' })), /Esc clears it/);
  });

  it('has exactly the size of the terminal and no control characters, whatever agents say', () => {
    const words = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom(
        '漢字'.repeat(60),
        '\u001b[2J\u0007',
        '👩‍👩‍👧‍👦'.repeat(30),
        'é'.repeat(90),
        '\n\n\n',
        ' '.repeat(200),
        long,
      ),
    );
    const ask = fc.record({ title: words, body: words, label: words, note: words });
    const modes: readonly Mode[] = [{ kind: 'list' }, { kind: 'help' }];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 70 }),
        fc.array(ask, { minLength: 1, maxLength: 4 }),
        fc.array(words, { maxLength: 5 }),
        fc.constantFrom(...modes),
        fc.boolean(),
        fc.nat(100),
        (columns, rows, asks, said, mode, grouped, scroll) => {
          const sessions = [
            asking(
              asks[0]?.label ?? '',
              asks.map(({ title, body, label, note }, at) =>
                question(`1:${at}`, { title, body, options: [{ id: '1', label, note }] }),
              ),
            ),
            ...said.map((text, at) =>
              row(
                `s${at}${text}`,
                { kind: 'idle', why: 'finished', said: text },
                { workspace: text },
              ),
            ),
          ];
          const preview = { id: sessions[0]?.id ?? '', lines: said };
          const notice = { text: said.join(' '), isProblem: true };
          const base = overviewOf(sessions, { mode, grouped, scroll, preview });
          for (const overview of [base, { ...base, notice }]) {
            const { lines } = frameOf(overview, { ...facts, columns, rows, style: coloured });
            assert.equal(lines.length, rows);
            for (const line of lines) {
              const shown = stripVTControlCharacters(line);
              assert.doesNotMatch(shown, /\p{Cc}/u);
              assert.ok(displayWidth(shown) <= columns, `${columns}: ${JSON.stringify(shown)}`);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
