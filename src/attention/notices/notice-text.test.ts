import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { AskJson } from '../activity-text.ts';
import type { Notice } from './notice-queue.ts';
import { noticeText } from './notice-text.ts';
import { terminalNotice, terminalNoticeKinds } from './terminal-notice.ts';

const same = (text: string) => text;
const hidden = (text: string) => text.replaceAll('hunter2', '[hidden]');

function asks(ask: Partial<AskJson>, more: Partial<Notice['event']> = {}): Notice {
  const whole = { id: '1', kind: 'permission', title: 'Bash', body: 'npm publish' } as const;
  return {
    kind: 'asks',
    event: {
      ...{ v: 1, type: 'activity', at: '', container: 'coi-1', alias: 'shop', slot: 2 },
      ...{ tool: 'claude', workspace: '/home/me/project', session_id: '', instance: 'i' },
      attention: {
        status: 'asks',
        asks: [
          { ...whole, truncated: false, options: [], multiple: false, sub_agent: false, ...ask },
        ],
      },
      ...more,
    } as Notice['event'],
  };
}

test('a notice names the session; the question and its body only if they are asked for', () => {
  assert.deepEqual(noticeText(asks({}), 'none', same), {
    title: 'shop-2 asks for permission',
    body: '',
  });
  assert.equal(noticeText(asks({}), 'title', same).body, 'Bash');
  assert.equal(noticeText(asks({}), 'full', same).body, 'Bash: npm publish');
  assert.equal(
    noticeText(asks({}, { alias: '' }), 'none', same).title,
    'project (coi-1) asks for permission',
  );
  const question = { kind: 'question', title: 'Which colour?' } as const;
  assert.deepEqual(noticeText(asks(question), 'title', same), {
    title: 'shop-2 asks',
    body: 'Which colour?',
  });
});

test('secrets in what is asked are hidden', () => {
  const secret = asks({ title: 'curl hunter2', body: 'echo hunter2' });
  assert.equal(noticeText(secret, 'full', hidden).body, 'curl [hidden]: echo [hidden]');
});

const facts = { term: 'xterm', program: '', isInTmux: false };

test('each terminal gets the sequence that it knows, others the bell alone', () => {
  const text = { title: 'shop-2 asks', body: 'Which colour?' };
  const at = (more: Partial<typeof facts>) => terminalNotice(text, 'auto', { ...facts, ...more });
  assert.equal(at({}), '\u0007');
  assert.equal(
    at({ term: 'foot' }),
    '\u001b]777;notify;coi: shop-2 asks;Which colour?\u0007\u0007',
  );
  assert.equal(
    at({ term: 'xterm-kitty' }),
    '\u001b]99;;coi: shop-2 asks: Which colour?\u001b\\\u0007',
  );
  assert.equal(
    at({ program: 'iTerm.app' }),
    '\u001b]9;coi: shop-2 asks: Which colour?\u0007\u0007',
  );
  assert.equal(
    at({ isInTmux: true, term: 'tmux-256color' }),
    '\u001bPtmux;\u001b\u001b]9;coi: shop-2 asks: Which colour?\u0007\u001b\\\u0007',
  );
  assert.equal(terminalNotice(text, 'off', facts), '');
});

test('letters of every script stay', () => {
  const text = { title: 'магазин-2 質問', body: 'どの色？ हिन्दी ألوان' };
  const sequence = terminalNotice(text, 'osc777', facts);
  for (const word of ['магазин-2', '質問', 'どの色', 'हिन्दी', 'ألوان'])
    assert.ok(sequence.includes(word), word);
});

test('no text can end the sequence, begin another one or add a field', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('\u001b', ']', '9', ';', '\u0007', '\\', '\u009c', '\u009d', 'a'),
      }),
      fc.constantFrom(...terminalNoticeKinds),
      fc.boolean(),
      (title, body, kind, isInTmux) => {
        const expected = terminalNotice({ title: 'x', body: 'x' }, kind, { ...facts, isInTmux });
        const given = terminalNotice({ title: `x${title}`, body: `x${body}` }, kind, {
          ...facts,
          isInTmux,
        });
        const shape = (text: string) => text.replace(/[^\u0000-\u001f\u007f-\u009f;\\]/g, '');
        assert.equal(shape(given), shape(expected));
      },
    ),
  );
});
