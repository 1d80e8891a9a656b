import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, Finding, Group } from '../../../setup/check.ts';
import type { CheckResult } from '../../../setup/report.ts';
import { plain } from '../style.ts';
import { healthJson, healthText, summaryText } from './health.ts';
import { notReadyText, planText } from './setup.ts';

const checked = (id: string, title: string, group: Group, finding: Finding): CheckResult => {
  const check: Check = { id, title, group, run: async () => finding };
  return { check, finding };
};
const all = [
  checked('os', 'Operating system', 'SYSTEM', {
    status: 'ok',
    message: 'Debian 13',
    details: { version: 13 },
  }),
  checked('image', 'Image', 'CRITICAL', {
    status: 'warning',
    message: 'not built',
    hint: 'Build it: coi build',
  }),
  checked('coid', 'coid', 'CRITICAL', {
    status: 'failed',
    message: 'not running',
    plan: 'start coid',
  }),
];
const report = {
  verdict: 'unhealthy',
  at: new Date(0),
  groups: ['SYSTEM', 'CRITICAL', 'STORAGE'],
  results: all,
} as const;

test('the health report shows groups, marks and how to fix each problem', () => {
  assert.deepEqual(healthText(report, plain, false), [
    'SYSTEM',
    '  [OK]   Operating system : Debian 13',
    '',
    'CRITICAL',
    '  [WARN] Image            : not built',
    '         Build it: coi build',
    '  [FAIL] coid             : not running',
    '         `sudo coi setup` would start coid',
    '',
    'STATUS: UNHEALTHY',
    '1 of 3 checks failed',
  ]);
});

test('a verbose health report shows measurements', () => {
  assert.ok(healthText(report, plain, true).includes('         version=13'));
});

test('the health summary counts the worst results', () => {
  assert.equal(summaryText(all.slice(0, 1)), 'All 1 checks passed');
  assert.equal(summaryText(all.slice(0, 2)), '1 checks passed with 1 warning');
});

test("health JSON has the predecessor's shape", () => {
  const json = healthJson(report) as { checks: Record<string, unknown> };
  assert.deepEqual(Object.keys(json), ['status', 'timestamp', 'checks', 'summary']);
  assert.deepEqual(json.checks['image'], {
    name: 'image',
    title: 'Image',
    group: 'CRITICAL',
    status: 'warning',
    message: 'not built',
    details: {},
    hint: 'Build it: coi build',
  });
  assert.deepEqual((json as unknown as { summary: unknown }).summary, {
    total: 3,
    passed: 1,
    warnings: 1,
    failed: 1,
  });
});

test('setup prints a plan before and remaining manual steps afterwards', () => {
  assert.deepEqual(planText(all.slice(2)), ['To prepare this host, setup will:', '  - start coid']);
  assert.deepEqual(notReadyText(all.slice(0, 2)), [
    'Warning: Image: not built',
    '  Build it: coi build',
  ]);
});
