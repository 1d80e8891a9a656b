import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appearanceCommands,
  nestedHint,
  statusName,
  type TmuxAppearance,
} from './tmux-appearance.ts';

const shop: TmuxAppearance = {
  alias: undefined,
  workspace: '/home/me/shop',
  slot: 2,
  tool: 'claude',
  container: 'coi-0123abcd-2',
};

test('the status line names alias or project, slot and agent', () => {
  assert.equal(statusName(shop), 'shop-2 claude');
  assert.equal(statusName({ ...shop, alias: 'web' }), 'web-2 claude');
  assert.equal(statusName({ ...shop, workspace: '/home/me/Große Küche' }), 'Große-Küche-2 claude');
  assert.equal(statusName({ ...shop, workspace: '/' }), 'coi-0123abcd-2-2 claude');
  const made = { alias: undefined, workspace: undefined, slot: undefined, tool: undefined };
  assert.equal(statusName({ ...made, container: 'coi-mine' }), 'coi-mine');
});

test('no name is interpreted by tmux', () => {
  const evil = `/w/a'; run-shell "touch x" #(id) #{pane} %H ; {b} $HOME \\`;
  assert.match(statusName({ ...shop, workspace: evil }), /^[\p{L}\p{N}._-]+ claude$/u);
  assert.ok(statusName({ ...shop, workspace: `/w/${'x'.repeat(200)}` }).length < 50);
});

test('only configured options are set', () => {
  assert.doesNotMatch(appearanceCommands(shop), /set-option -g (prefix|mouse)/);
  const commands = appearanceCommands({ ...shop, prefix: 'C-a', mouse: false, outerPrefix: 'C-a' });
  assert.match(commands, /set-option -g prefix 'C-a' ; bind-key 'C-a' send-prefix/);
  assert.match(commands, /set-option -g mouse off/);
  assert.match(commands, /@coi_leave "Ctrl-a Ctrl-a d detaches "/);
  assert.match(nestedHint('M-x'), /Alt-x Alt-x d detaches from the session, Alt-x d from yours/);
});
