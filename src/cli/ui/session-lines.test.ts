// The first and the last line of a session.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  endLine,
  resumeCommand,
  type SessionEnd,
  startLine,
  terminalExit,
} from './session-lines.ts';

const start = {
  agent: 'claude',
  container: 'coi-abc12345-1',
  alias: undefined,
  slot: 1,
  network: 'restricted',
  persistent: false,
  tmux: true,
  restarted: false,
  resumed: 'no',
} as const;

describe('the first line of a session', () => {
  it('the start line names agent, container, slot and network', () => {
    assert.equal(startLine(start, 80), 'claude in coi-abc12345-1, slot 1, network restricted');
  });

  it('the start line names the alias and unusual settings', () => {
    const line = startLine(
      {
        ...start,
        alias: 'shop',
        persistent: true,
        restarted: true,
        tmux: false,
        resumed: 'conversation',
      },
      200,
    );
    assert.equal(
      line,
      'claude in shop (coi-abc12345-1), slot 1, network restricted, persistent, restarted, conversation resumed, without tmux',
    );
  });

  it('the start line drops details that do not fit, but never the container', () => {
    assert.equal(startLine(start, 40), 'claude in coi-abc12345-1, slot 1');
    assert.equal(startLine(start, 10), 'claude in coi-abc12345-1');
  });
});

describe('the last line of a session', () => {
  const ending: SessionEnd = {
    container: 'coi-abc12345-1',
    outcome: 'running',
    exit: 'detached',
    resume: 'coi shell --resume=ID',
  };

  it('the end line states the outcome', () => {
    const told = (change: Partial<SessionEnd>) => endLine({ ...ending, ...change });
    assert.match(
      told({}),
      /^Detached; the session is still running\. Attach: coi attach coi-abc12345-1$/,
    );
    assert.match(told({ exit: 'lost' }), /^The terminal was lost; the session is still running\./);
    assert.match(
      told({ exit: 'closed' }),
      /^The terminal has closed; the container is still running\./,
    );
    assert.match(told({ outcome: 'frozen' }), /^The session is paused\. Resume: coi unfreeze /);
    assert.equal(told({ outcome: 'removed' }), 'Session ended; resume: coi shell --resume=ID');
    assert.equal(told({ outcome: 'gone', resume: undefined }), 'Session ended');
    assert.equal(
      told({ outcome: 'kept' }),
      'Session ended; its container is kept; resume: coi shell --resume=ID',
    );
    assert.match(
      told({ outcome: 'removed', problem: 'no answer' }),
      /could not be removed \(no answer\)/,
    );
    assert.match(told({ outcome: 'unknown' }), /^Incus does not answer, so nothing was changed;/);
  });

  it('the way a terminal was left is recognised by its result', () => {
    assert.equal(terminalExit({ kind: 'exited', status: 0, detached: true }), 'detached');
    assert.equal(terminalExit({ kind: 'exited', status: 0, detached: false }), 'closed');
    assert.equal(terminalExit({ kind: 'exited', status: 1 }), 'lost');
    assert.equal(terminalExit({ kind: 'interrupted' }), 'interrupted');
  });

  it('the resume command works from the current directory', () => {
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
