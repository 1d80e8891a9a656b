import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Limit } from './key.ts';
import { isWithin } from './limit.ts';

const memoryBytes = 16 * 2 ** 30;

function check(limit: Limit, cases: readonly (readonly [unknown, unknown, boolean])[]): void {
  for (const [value, trusted, expected] of cases)
    assert.equal(
      isWithin(limit, value, trusted, memoryBytes),
      expected,
      `${String(value)} of ${String(trusted)}`,
    );
}

test("sizes compare as bytes, percentages as shares of the host's memory", () => {
  check({ limit: 'size' }, [
    ['8GiB', undefined, true],
    ['1024MiB', '1GiB', true],
    ['1025MiB', '1GiB', false],
    ['1GB', '1GiB', true],
    ['1TiB', '999GiB', false],
    ['50%', '8GiB', true],
    ['51%', '8GiB', false],
    ['8GiB', '50%', true],
    ['9GiB', '50%', false],
    ['0MiB', '1GiB', false],
    ['1GiB', '0MiB', true],
  ]);
});

test('swap: false is the strictest limit, true is no limit', () => {
  check({ limit: 'swap' }, [
    ['true', 'true', true],
    ['false', 'false', true],
    ['false', '1GiB', true],
    ['1GiB', 'true', true],
    ['true', '1GiB', false],
    ['1MiB', 'false', false],
    ['2GiB', '1GiB', false],
    ['0MiB', 'false', false],
  ]);
});

test('rates of one kind are compared, rates of different kinds never', () => {
  check({ limit: 'rate' }, [
    ['10MiB', '10MiB/s', true],
    ['11MiB/s', '10MiB', false],
    ['1048576', '1MiB', true],
    ['100iops', '200iops', true],
    ['300iops', '200iops', false],
    ['1iops', '10MiB', false],
    ['0iops', '200iops', false],
  ]);
});

test('a share of CPU time and a quota are not comparable', () => {
  check({ limit: 'cpu-time' }, [
    ['40%', '50%', true],
    ['60%', '50%', false],
    ['25ms/100ms', '30ms/100ms', true],
    ['25ms/50ms', '30ms/100ms', false],
    ['50ms/0ms', '30ms/100ms', false],
    ['10%', '30ms/100ms', false],
    ['25ms/100ms', '50%', false],
    ['0%', '50%', false],
  ]);
});

test('a CPU limit is lower with fewer of any CPUs or a subset of the same', () => {
  check({ limit: 'cpus' }, [
    ['2', '4', true],
    ['5', '4', false],
    ['0-3', '4', true],
    ['0-4', '4', false],
    ['1,3', '0-3', true],
    ['3,4', '0-3', false],
    ['2', '0-3', false],
    ['0', '4', false],
    ['4-2', '0-4', false],
    ['0-9999', '0-9998', false],
    ['64', undefined, true],
  ]);
});

test("numeric limits: 0 means none, and Incus's default applies when unset", () => {
  check({ limit: 'number' }, [
    [100, 0, true],
    [100, 200, true],
    [300, 200, false],
    [7_200_000, undefined, true],
    [7_200_000, 3_600_000, false],
  ]);
  check({ limit: 'number', unset: 5 }, [
    [5, 0, true],
    [6, 0, false],
    [6, 7, true],
  ]);
});

test('invalid limits are never within another one, and comparing them does not throw', () => {
  const kinds = ['cpus', 'cpu-time', 'size', 'swap', 'rate', 'number'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.string({ unit: 'binary' }), (limit, text) => {
      fc.pre(!/\d/.test(text) && text !== 'false');
      const ceiling = {
        cpus: '2',
        'cpu-time': '50%',
        size: '1GiB',
        swap: '1GiB',
        rate: '1MiB',
        number: 2,
      };
      assert.equal(isWithin({ limit }, text, ceiling[limit], memoryBytes), false);
    }),
  );
});
