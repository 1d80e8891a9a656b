import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TerminalRules, terminalFilter } from './terminal-filter.ts';

const all: TerminalRules = { clipboard: true, notifications: true, links: true, title: true };
const none: TerminalRules = { clipboard: false, notifications: false, links: false, title: false };
const esc = '\u001b';

function filtered(text: string, rules: TerminalRules, pieces = [text.length]): string {
  const filter = terminalFilter(rules);
  const bytes = Buffer.from(text);
  const out: Uint8Array[] = [];
  let at = 0;
  for (const size of [...pieces, bytes.length]) {
    const piece = bytes.subarray(at, at + size);
    out.push(filter ? filter(piece) : piece);
    at += piece.length;
  }
  return Buffer.concat(out).toString();
}

const sequences: readonly (readonly [keyof TerminalRules, string])[] = [
  ['clipboard', `${esc}]52;c;aGVsbG8=\u0007`],
  ['clipboard', `${esc}]52;c;?${esc}\\`],
  ['clipboard', `${esc}]052;c;aGVsbG8=\u0007`],
  ['clipboard', `${esc}]5\u00002;c;aGVsbG8=\u0007`],
  ['clipboard', `\u009d52;c;aGVsbG8=\u009c`],
  ['clipboard', `${esc}]5522;type=write;x\u0007`],
  ['clipboard', `${esc}]1337;Copy=:aGVsbG8=\u0007`],
  ['notifications', `${esc}]9;done\u0007`],
  ['notifications', `${esc}]777;notify;title;text\u0007`],
  ['notifications', `${esc}]99;i=1;text${esc}\\`],
  ['links', `${esc}]8;;https://example.org\u0007`],
  ['title', `${esc}]0;a title\u0007`],
  ['title', `${esc}]2;a title${esc}\\`],
  ['title', `${esc}]lold title${esc}\\`],
];

for (const [kind, sequence] of sequences) {
  const name = JSON.stringify(sequence);
  test(`${name} passes, and is removed if ${kind} is off`, () => {
    assert.equal(filtered(`a${sequence}b`, all), `a${sequence}b`);
    for (const rules of [none, { ...all, [kind]: false }]) {
      assert.equal(filtered(`a${sequence}b`, rules), 'ab');
      const bytes = Buffer.byteLength(`a${sequence}b`);
      for (let cut = 0; cut <= bytes; cut += 1)
        assert.equal(filtered(`a${sequence}b`, rules, [cut]), 'ab', `cut at ${cut}`);
    }
  });
}

test('a filter for one kind of sequence leaves the others', () => {
  const unfiltered = `${esc}]8;;https://example.org\u0007link${esc}]8;;\u0007`;
  assert.equal(filtered(unfiltered, { ...all, clipboard: false }), unfiltered);
});

test('a sequence cannot hide inside another one', () => {
  const copy = `${esc}]52;c;aGVsbG8=\u0007`;
  // tmux on the user's side removes their wrapper.
  assert.equal(filtered(`a${esc}Ptmux;${esc}${copy}${esc}\\b`, none).includes('aGVsbG8='), false);
  // Ended by the next ESC.
  assert.equal(filtered(`${esc}]0;x${copy}after`, none), 'after');
  assert.equal(filtered(`${esc}]0${copy}after`, { ...all, clipboard: false }), `${esc}]0after`);
  assert.equal(filtered(`${esc}[3${copy}after`, none), `${esc}[3after`);
  assert.equal(filtered(`${esc}${copy}after`, none), `${esc}after`);
});

test('a truncated sequence does not swallow the following text', () => {
  assert.equal(filtered(`${esc}]52;c;x\u0018after`, none), 'after');
  assert.equal(filtered(`${esc}]52;c;x${esc}[31mred`, none), `${esc}[31mred`);
});

test('control characters inside a sequence hide nothing', () => {
  for (const control of ['\0', '\r', '\n', '\u000e', '\u007f', '\0\0'])
    for (const [, sequence] of sequences) {
      if (!sequence.startsWith(esc)) continue;
      const out = filtered(`${esc}${control}${sequence.slice(1)}after`, none);
      assert.equal(out, `${control}after`, JSON.stringify([control, sequence]));
    }
});

test('text, colours, positions, modes and letters of all alphabets pass unchanged', () => {
  const text = `${esc}[31mrot${esc}[0m ${esc}[?1049h${esc}[2J${esc}(0x${esc}7 é Â © £ 漢字 🙂 ${esc}]10;?\u0007${esc}]4;1;#ff0000\u0007`;
  assert.equal(filtered(text, none), text);
});

test('chunk boundaries make no difference to the filter', () => {
  const part = fc.oneof(
    fc.constantFrom(...sequences.map(([, sequence]) => sequence)),
    fc.constantFrom(
      esc,
      `${esc}]`,
      `${esc}]52`,
      ';',
      '\u0007',
      `${esc}\\`,
      '\u009d',
      'Â',
      '8',
      'é',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }),
      fc.array(fc.nat({ max: 9 }), { maxLength: 40 }),
      fc.record({
        clipboard: fc.boolean(),
        notifications: fc.boolean(),
        links: fc.boolean(),
        title: fc.boolean(),
      }),
      (parts, pieces, rules) => {
        const text = parts.join('');
        assert.equal(filtered(text, rules, pieces), filtered(text, rules));
      },
    ),
  );
});

test('a filtered sequence never comes out, whatever surrounds it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(...sequences.map(([, sequence]) => sequence)),
      (before, sequence) => {
        const out = filtered(`${before}${sequence}`, none);
        assert.doesNotMatch(out, /(?:\u001b\]|\u009d)[0-9]*(?:52|9|99|777|8|0|2);/);
      },
    ),
  );
});
