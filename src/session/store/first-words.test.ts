// Files that a hostile agent left in its store, read for the list.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { SessionId } from '../../names.ts';
import { claude } from '../../tools/claude.ts';
import { firstWords, plainWords, wordsBudget } from './first-words.ts';

const id = '01234567-89ab-4cde-8f01-23456789abcd' as SessionId;
const user = (content: string) => `${JSON.stringify({ type: 'user', message: { content } })}\n`;

describe('first words of a stored session', () => {
  let home = '';
  let projects = '';
  before(() => {
    home = mkdtempSync('/tmp/coit-words-');
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const fresh = () => {
    rmSync(`${home}/.coi`, { recursive: true, force: true });
    projects = `${home}/.coi/sessions-claude/${id}/.claude/projects/-workspace`;
    mkdirSync(projects, { recursive: true });
  };
  const words = (budget = wordsBudget()) =>
    firstWords({ home, id, tool: claude }, budget, hostFiles);

  it('first words come from the newest file that has some', () => {
    fresh();
    writeFileSync(`${projects}/old.jsonl`, user('old'));
    writeFileSync(`${projects}/new.jsonl`, user('new'));
    writeFileSync(`${projects}/helper.jsonl`, '{"type":"start"}\n');
    utimesSync(`${projects}/old.jsonl`, 1, 1);
    utimesSync(`${projects}/new.jsonl`, 2, 2);
    assert.equal(words(), 'new');
  });

  it("first words are never read through a link, pipe or device, and only from a giant's head", () => {
    fresh();
    writeFileSync(`${home}/secret.jsonl`, user('secret'));
    symlinkSync(`${home}/secret.jsonl`, `${projects}/link.jsonl`);
    execFileSync('mkfifo', [`${projects}/pipe.jsonl`]);
    writeFileSync(`${projects}/giant.jsonl`, user('giant'));
    truncateSync(`${projects}/giant.jsonl`, 8 * 2 ** 30);
    const budget = wordsBudget();
    assert.equal(words(budget), 'giant');
    assert.ok(wordsBudget().bytes - budget.bytes <= 32 * 1024);
    rmSync(`${projects}/giant.jsonl`);
    assert.equal(words(), undefined);
    fresh();
    rmSync(`${home}/.coi/sessions-claude/${id}/.claude/projects`, { recursive: true });
    symlinkSync(home, `${home}/.coi/sessions-claude/${id}/.claude/projects`);
    assert.equal(words(), undefined);
  });

  it('first words stop when the budget is used up', () => {
    fresh();
    for (let at = 0; at < 600; at += 1) writeFileSync(`${projects}/${at}.jsonl`, '\n');
    const budget = wordsBudget();
    words(budget);
    assert.ok(wordsBudget().entries - budget.entries <= 500);
    fresh();
    writeFileSync(`${projects}/a.jsonl`, user('a'));
    assert.equal(words({ bytes: 0, entries: 10 }), undefined);
    assert.equal(words({ bytes: 10, entries: 0 }), undefined);
  });

  it('a missing session has no first words', () => {
    rmSync(`${home}/.coi`, { recursive: true, force: true });
    assert.equal(words(), undefined);
  });
});

describe('plain words', () => {
  it('first words have no control, invisible or direction-changing characters', () => {
    assert.equal(plainWords('a\u001b[31m\u0007b\r\n\tc'), 'a [31m b c');
    assert.equal(plainWords('a\u202eb\u2066c\u200bd\ufeffe\u009bf\ue000g'), 'a b c d e f g');
    assert.equal(plainWords('\ud800x'), 'x');
  });

  it('first words are short, and combining marks do not pile up', () => {
    assert.equal(plainWords(`e${'\u0301'.repeat(500)}`), 'e\u0301\u0301');
    assert.equal([...plainWords('x'.repeat(10_000))].length, 100);
    assert.equal(plainWords('Größe 日本 🙂'), 'Größe 日本 🙂');
  });
});
