// The line at the beginning and the one at the end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginningLine, type Ending, endingLine, leftBy, resumeCommand } from './story.ts';

const begun = {
  agent: 'claude',
  container: 'coi-abc12345-1',
  alias: undefined,
  slot: 1,
  network: 'restricted',
  persistent: false,
  tmux: true,
  again: false,
  resumed: 'no',
} as const;

describe('the beginning of a session', () => {
  it('names agent, container, slot and network', () => {
    assert.equal(beginningLine(begun, 80), 'claude in coi-abc12345-1, slot 1, network restricted');
  });

  it('names the alias, and what is not usual', () => {
    const line = beginningLine(
      {
        ...begun,
        alias: 'shop',
        persistent: true,
        again: true,
        tmux: false,
        resumed: 'conversation',
      },
      200,
    );
    assert.equal(
      line,
      'claude in shop (coi-abc12345-1), slot 1, network restricted, persistent, started again, the conversation goes on, without tmux',
    );
  });

  it('leaves out what does not fit, but never the container', () => {
    assert.equal(beginningLine(begun, 40), 'claude in coi-abc12345-1, slot 1');
    assert.equal(beginningLine(begun, 10), 'claude in coi-abc12345-1');
  });
});

describe('the end', () => {
  const ending: Ending = {
    container: 'coi-abc12345-1',
    outcome: 'running',
    left: 'detached',
    resume: 'coi shell --resume=ID',
  };

  it('is told as it is', () => {
    const told = (change: Partial<Ending>) => endingLine({ ...ending, ...change });
    assert.match(told({}), /^Detached; the session goes on\. Attach: coi attach coi-abc12345-1$/);
    assert.match(told({ left: 'lost' }), /^The terminal was lost; the session goes on\./);
    assert.match(told({ left: 'closed' }), /^The terminal has ended, the container runs on\./);
    assert.match(told({ outcome: 'frozen' }), /^The session is paused\. Go on: coi unfreeze /);
    assert.equal(told({ outcome: 'removed' }), 'Session ended; resume: coi shell --resume=ID');
    assert.equal(told({ outcome: 'gone', resume: undefined }), 'Session ended');
    assert.equal(
      told({ outcome: 'kept' }),
      'Session ended, its container is kept; resume: coi shell --resume=ID',
    );
    assert.match(
      told({ outcome: 'removed', problem: 'no answer' }),
      /could not be removed \(no answer\)/,
    );
    assert.match(told({ outcome: 'unknown' }), /^Incus does not answer, so nothing was touched;/);
  });

  it('knows how a terminal was left', () => {
    assert.equal(leftBy({ kind: 'exited', status: 0, detached: true }), 'detached');
    assert.equal(leftBy({ kind: 'exited', status: 0, detached: false }), 'closed');
    assert.equal(leftBy({ kind: 'exited', status: 1 }), 'lost');
    assert.equal(leftBy({ kind: 'interrupted' }), 'interrupted');
  });

  it('says what to type where one is', () => {
    const at = { workspace: '/home/me/shop', alias: undefined, cwd: '/home/me/shop' };
    assert.equal(resumeCommand('ID', at), 'coi shell --resume=ID');
    assert.equal(
      resumeCommand('ID', { ...at, cwd: '/' }),
      'coi shell -w /home/me/shop --resume=ID',
    );
    assert.equal(
      resumeCommand('ID', { ...at, cwd: '/', alias: 'shop' }),
      'coi shell shop --resume=ID',
    );
    assert.equal(
      resumeCommand('ID', { ...at, cwd: '/', workspace: "/it's a $HOME" }),
      "coi shell -w '/it'\\''s a $HOME' --resume=ID",
    );
  });
});
