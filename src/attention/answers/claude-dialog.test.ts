// Which key answers a question in a dialog of Claude Code. The screens are of 2.1.332, at 80 columns.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asksOf } from '../claude/asks.ts';
import type { PendingCall } from '../claude/transcript.ts';
import type { Answer } from './choice.ts';
import { type DialogKey, dialogKey } from './claude-dialog.ts';

const rule = '─'.repeat(80);
const dashes = '╌'.repeat(80);
const before = ['● Bash(touch /tmp/a)', '  ⎿  Waiting…', '', rule];
const permissionEnd = [
  ' Do you want to proceed?',
  ' ❯ 1. Yes',
  '   2. Yes, and always allow access to /tmp from this project',
  '   3. Yes, and switch to auto mode · auto mode handles these prompts for you',
  '   4. No',
  '',
  ' Esc to cancel · Tab to amend',
];

function bashScreen(command: readonly string[], description = 'What was asked for'): string {
  const about = [' Bash command', ...description.split('\n').map((line) => ` ${line}`)];
  const lines = [...before, ...about, dashes, ...command, dashes, ...permissionEnd, '', ''];
  return lines.join('\n');
}

const bash = (command: string): PendingCall => ({ id: 'a', name: 'Bash', input: { command } });
const allow: Answer = { kind: 'decision', option: 'allow' };
const deny: Answer = { kind: 'decision', option: 'deny' };

function key(screen: string, call: PendingCall, answer: Answer): DialogKey | 'none' | 'other' {
  const [ask] = asksOf(call);
  assert.ok(ask);
  return dialogKey(screen, { ask, call, cwd: '/workspace', answer });
}

function numberIn(screen: string, call: PendingCall, answer: Answer): string {
  const found = key(screen, call, answer);
  return typeof found === 'string' ? found : found.number;
}

describe('a permission for a command', () => {
  it('is answered by the number of yes or no', () => {
    const screen = bashScreen([' touch /tmp/a']);
    assert.equal(numberIn(screen, bash('touch /tmp/a'), allow), '1');
    assert.equal(numberIn(screen, bash('touch /tmp/a'), deny), '4');
    const found = key(screen, bash('touch /tmp/a'), allow);
    assert.ok(typeof found === 'object' && screen.trimEnd().endsWith(found.dialog));
  });

  it('may have several lines, or a line that the terminal wraps', () => {
    const lines = [' │ echo one &&', ' │   echo two | tee "$HOME/x"'];
    const twoLines = bash('echo one &&\n  echo two | tee "$HOME/x"');
    assert.equal(numberIn(bashScreen(lines), twoLines, allow), '1');
    const long = `echo ${'a'.repeat(70)} 質問 > /tmp/x; curl y`;
    const wrapped = [` │ echo ${'a'.repeat(70)}`, ' │ 質問 > /tmp/x; curl y'];
    assert.equal(numberIn(bashScreen(wrapped), bash(long), allow), '1');
  });

  it('is not answered if the dialog shows another command, however it looks', () => {
    const wanted = bash('touch good');
    for (const screen of [
      bashScreen([' touch evil'], 'touch good'),
      bashScreen([' touch evil'], `x\n${dashes}\n touch good\n${dashes}`),
      bashScreen([' touch evil'], `x\n${rule}\n Bash command\n${dashes}\n touch good\n${dashes}`),
      bashScreen([' │ touch evil #', ` │ ${rule}`, ' │ touch good']),
      bashScreen([' touch good2']),
      bashScreen([' touch good; touch evil']),
      bashScreen([]),
    ])
      assert.equal(numberIn(screen, wanted, allow), 'other', screen);
    for (const [shown, asked] of [
      ['touch a;touch evil', 'touch a&touch evil'],
      ['touch evil', 'é'],
      ['echo 質', 'echo 問'],
    ] as const)
      assert.equal(numberIn(bashScreen([` ${shown}`]), bash(asked), allow), 'other', asked);
  });

  it('needs a screen with a dialog', () => {
    const screens = ['', ' touch /tmp/a', [...before, '❯ ', rule].join('\n'), '1. Yes\n2. No'];
    for (const screen of screens)
      assert.equal(numberIn(screen, bash('touch /tmp/a'), allow), 'none', screen);
  });

  it('a text cannot be given with a key', () => {
    const answer: Answer = { kind: 'decision', option: 'deny', text: 'why' };
    assert.equal(numberIn(bashScreen([' ls']), bash('ls'), answer), 'other');
  });
});

describe('a permission for a file', () => {
  const screen = (path: string, name: string) =>
    [
      ...before,
      ' Create file',
      ` ${path}`,
      dashes,
      '  1 one',
      dashes,
      ` Do you want to create ${name}?`,
      ' ❯ 1. Yes',
      '   2. Yes, and switch to accept edits (auto-approve file edits and common file',
      '      commands) for this session (shift+tab)',
      '   3. No',
      '',
      ' Esc to cancel · Tab to amend',
    ].join('\n');
  const write = (path: string): PendingCall => ({
    id: 'a',
    name: 'Write',
    input: { file_path: path, content: 'one' },
  });

  it('is answered if the dialog shows its path', () => {
    const shown = screen('x/index.ts', 'index.ts');
    assert.equal(numberIn(shown, write('/workspace/x/index.ts'), allow), '1');
    assert.equal(numberIn(shown, write('/workspace/x/index.ts'), deny), '3');
    assert.equal(numberIn(screen('/etc/a', 'a'), write('/etc/a'), allow), '1');
    for (const other of ['/workspace/y/index.ts', '/workspace/index.ts', '/x/index.ts'])
      assert.equal(numberIn(shown, write(other), allow), 'other', other);
  });
});

describe('a question', () => {
  const question = (options: readonly string[], text = 'Which one?') =>
    ({
      id: 'a',
      name: 'AskUserQuestion',
      input: {
        questions: [
          { question: text, header: 'Pick', options: options.map((label) => ({ label })) },
        ],
      },
    }) satisfies PendingCall;
  const screen = (options: readonly string[], text = ['Which one?'], header = ' ☐ Pick') =>
    [
      ...[...before, header, '', ...text, ''],
      ...options.flatMap((label, at) => [
        `${at === 0 ? '❯ ' : '  '}${at + 1}. ${label}`,
        '     a note',
      ]),
      `  ${options.length + 1}. Type something.`,
      rule,
      `  ${options.length + 2}. Chat about this`,
      '',
      'Enter to select · ↑/↓ to navigate · Esc to cancel',
    ].join('\n');
  const choose = (id: string): Answer => ({ kind: 'answers', answers: [{ options: [id] }] });

  it('is answered by the number of its option, whatever the labels are', () => {
    for (const labels of [
      ['Red', 'Blue'],
      ['赤', '青'],
      ['C#', 'C+'],
    ]) {
      const shown = screen(labels);
      assert.equal(numberIn(shown, question(labels), choose('1')), '1');
      assert.equal(numberIn(shown, question(labels), choose('2')), '2');
    }
    const wrapped = question(['Red', 'Blue'], `Which ${'one '.repeat(30)}?`);
    const lines = [`Which ${'one '.repeat(18).trim()}`, `${'one '.repeat(12)}?`];
    assert.equal(numberIn(screen(['Red', 'Blue'], lines), wrapped, choose('2')), '2');
  });

  it('is not answered in the dialog of another', () => {
    const wanted = question(['Yes', 'No'], '続けますか');
    for (const shown of [
      screen(['Yes', 'No'], ['Drop the table?']),
      screen(['Yes', 'No'], ['続けますか'], ' ☐ Other'),
      screen(['No', 'Yes'], ['続けますか']),
      screen(['Yes', 'No'], ['続けますか not']),
    ])
      assert.equal(numberIn(shown, wanted, choose('1')), 'other', shown);
    assert.equal(numberIn(screen(['Yes', 'No'], ['続けますか']), wanted, choose('1')), '1');
  });

  it('is not answered if a label looks like an option', () => {
    const labels = ['Red', 'x'];
    const shown = screen(labels).replace('     a note', '  1. Blue');
    assert.equal(numberIn(shown, question(labels), choose('1')), 'other');
  });

  it('is not answered with several options, a text or several questions', () => {
    const shown = screen(['Red', 'Blue']);
    const call = question(['Red', 'Blue']);
    const text: Answer = { kind: 'answers', answers: [{ options: [], text: 'green' }] };
    const both: Answer = { kind: 'answers', answers: [{ options: ['1', '2'] }] };
    for (const answer of [text, both]) assert.equal(numberIn(shown, call, answer), 'other');
    const [one] = call.input.questions;
    const twice = { ...call, input: { questions: [one, one] } };
    assert.equal(numberIn(shown, twice, choose('1')), 'other');
  });
});

it('a pattern has no character with a meaning to tmux, and no screen makes it fail', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (command, text) => {
      const line = command.replace(/\s+/g, ' ').trim();
      const found = key(bashScreen([` ${line}`], text), bash(line), allow);
      if (typeof found === 'object') assert.match(found.line, /^[A-Za-z0-9 _/=:@.*-]*$/);
      key(`${text}\n${rule}\n${command}`, bash(command), allow);
    }),
  );
});
