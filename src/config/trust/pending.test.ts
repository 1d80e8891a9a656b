// Warnings for the user: many of one kind in one line.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { groupedWarnings, pendingWarning } from './pending.ts';

const waits = (line: number, text: string, profile?: string) => ({
  ...{ name: 'network.mode' as const, source: '/w/.coi/config.toml' },
  ...{ line, text, profile },
});

it('a few warnings are printed in full', () => {
  const waiting = [waits(1, 'network.mode = "open"')];
  const warnings = ['first', ...waiting.map(pendingWarning)];
  assert.deepEqual(groupedWarnings({ warnings, waiting }).toSorted(), warnings.toSorted());
});

it('many values that need approval are one line with their names', () => {
  const names = ['network.mode', 'container.image', 'mounts.default', 'ports.map', 'git.name'];
  const waiting = names.map((name, at) => waits(at, `${name} = "x = y"`));
  assert.deepEqual(
    groupedWarnings({ warnings: ['first', ...waiting.map(pendingWarning)], waiting }),
    [
      '/w/.coi/config.toml: 5 settings have no effect until you approve them with `coi trust`: network.mode, container.image, mounts.default, ports.map, and 1 more',
      'first',
    ],
  );
});

it("values that a profile holds back are reported with the profile's name", () => {
  const names = ['tool.name', 'network.mode', 'git.name'];
  const waiting = names.map((name, at) => waits(at, `${name} = "x"`, 'dev'));
  const [first = waits(0, '')] = waiting;
  assert.match(
    pendingWarning(first),
    /^\/w\/\.coi\/config\.toml:0: profile dev: tool\.name = "x" has no effect/,
  );
  assert.match(
    groupedWarnings({ warnings: [], waiting })[0] ?? '',
    /^\/w\/\.coi\/config\.toml: profile dev: 3 settings have no effect/,
  );
});

it('of many other warnings the first are printed, then the number of the rest', () => {
  const warnings = Array.from({ length: 9 }, (_, at) => `warning ${at}`);
  const reported = groupedWarnings({ warnings, waiting: [] });
  assert.deepEqual(reported.slice(0, 5), warnings.slice(0, 5));
  assert.deepEqual(reported.slice(5), ['4 more warnings; --verbose shows them']);
});
