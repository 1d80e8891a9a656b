import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookCommands, nestedHint, statusName, type TmuxLook } from './tmux-appearance.ts';

const shop: TmuxLook = {
  alias: undefined,
  workspace: '/home/me/shop',
  slot: 2,
  tool: 'claude',
  container: 'coi-0123abcd-2',
};

test('a session is named by its alias or project, slot and agent', () => {
  assert.equal(statusName(shop), 'shop-2 claude');
  assert.equal(statusName({ ...shop, alias: 'web' }), 'web-2 claude');
  assert.equal(statusName({ ...shop, workspace: '/home/me/Große Küche' }), 'Große-Küche-2 claude');
  assert.equal(statusName({ ...shop, workspace: '/' }), 'coi-0123abcd-2-2 claude');
  const made = { alias: undefined, workspace: undefined, slot: undefined, tool: undefined };
  assert.equal(statusName({ ...made, container: 'coi-mine' }), 'coi-mine');
});

test('nothing in a name means anything to tmux', () => {
  const evil = `/w/a'; run-shell "touch x" #(id) #{pane} %H ; {b} $HOME \\`;
  assert.match(statusName({ ...shop, workspace: evil }), /^[\p{L}\p{N}._-]+ claude$/u);
  assert.ok(statusName({ ...shop, workspace: `/w/${'x'.repeat(200)}` }).length < 50);
});

test('only what is asked for is set', () => {
  assert.doesNotMatch(lookCommands(shop), /set-option -g (prefix|mouse)/);
  const asked = lookCommands({ ...shop, prefix: 'C-a', mouse: false, outerPrefix: 'C-a' });
  assert.match(asked, /set-option -g prefix 'C-a' ; bind-key 'C-a' send-prefix/);
  assert.match(asked, /set-option -g mouse off/);
  assert.match(asked, /@coi_leave "Ctrl-a Ctrl-a d detaches "/);
  assert.match(nestedHint('M-x'), /Alt-x Alt-x d detaches from the session, Alt-x d from yours/);
});
