// Warnings for a person: many of a kind in one line.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { groupedWarnings, waitingLine } from './waiting.ts';

const waits = (line: number, text: string, profile?: string) => ({
  ...{ name: 'network.mode' as const, source: '/w/.coi/config.toml' },
  ...{ line, text, profile },
});

it('a few are told as they are', () => {
  const waiting = [waits(1, 'network.mode = "open"')];
  const warnings = ['first', ...waiting.map(waitingLine)];
  assert.deepEqual(groupedWarnings({ warnings, waiting }).toSorted(), warnings.toSorted());
});

it('many that wait for trust are one line, with their names', () => {
  const names = ['network.mode', 'container.image', 'mounts.default', 'ports.map', 'git.name'];
  const waiting = names.map((name, at) => waits(at, `${name} = "x = y"`));
  assert.deepEqual(groupedWarnings({ warnings: ['first', ...waiting.map(waitingLine)], waiting }), [
    '/w/.coi/config.toml: 5 settings are not in force until you approve them with `coi trust`: network.mode, container.image, mounts.default, ports.map, and 1 more',
    'first',
  ]);
});

it('what a profile holds back is told with its name, one or many', () => {
  const names = ['tool.name', 'network.mode', 'git.name'];
  const waiting = names.map((name, at) => waits(at, `${name} = "x"`, 'dev'));
  const [first = waits(0, '')] = waiting;
  assert.match(waitingLine(first), /^\/w\/\.coi\/config\.toml:0: profile dev: tool\.name = "x" is/);
  assert.match(
    groupedWarnings({ warnings: [], waiting })[0] ?? '',
    /^\/w\/\.coi\/config\.toml: profile dev: 3 settings are not in force/,
  );
});

it('of many others the first are told, and how many there are', () => {
  const warnings = Array.from({ length: 9 }, (_, at) => `warning ${at}`);
  const told = groupedWarnings({ warnings, waiting: [] });
  assert.deepEqual(told.slice(0, 5), warnings.slice(0, 5));
  assert.deepEqual(told.slice(5), ['4 more warnings; --verbose shows them']);
});
