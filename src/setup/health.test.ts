// Findings of the checks that only `coi health` makes, from given facts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFinding, postureFinding } from './checks/configuration.ts';
import { connectivityFinding, restrictionFinding } from './checks/connectivity.ts';
import { apparmorFinding } from './checks/host-health.ts';
import { kernelAgeFinding, supportFinding } from './checks/os-support.ts';
import { ageFinding, directoryFinding } from './checks/resources.ts';
import { checks } from './checks.ts';
import { healthChecks, sessionChecks, verboseChecks } from './health-checks.ts';

test('health has every check of setup, and each id once', () => {
  const ids = [...healthChecks, ...sessionChecks, ...verboseChecks].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id } of checks) assert.ok(ids.includes(id), id);
  assert.ok(verboseChecks.every(({ fix }) => fix === undefined));
});

test('a configuration is checked for errors, pending approvals and warnings', () => {
  const loaded = { kind: 'loaded', settings: {} as never, warnings: [], waiting: 0 } as const;
  assert.equal(configFinding(loaded).status, 'ok');
  assert.equal(configFinding({ ...loaded, waiting: 2 }).status, 'warning');
  assert.match(configFinding({ ...loaded, warnings: ['odd'] }).message, /odd/);
  const broken = configFinding({ kind: 'broken', message: 'line 3', hint: undefined });
  assert.deepEqual([broken.status, broken.message], ['failed', 'line 3']);
});

test('disabled protection is a warning that names it', () => {
  const posture = (more: object) =>
    postureFinding({
      'security.disable_protection': false,
      'security.protection': 'guard',
      'git.writable_hooks': false,
      ...more,
    });
  assert.equal(posture({}).status, 'ok');
  assert.match(posture({ 'git.writable_hooks': true }).message, /git hooks/);
  assert.match(posture({ 'security.disable_protection': true }).message, /no path is protected/);
});

test('a host without AppArmor gets a warning, whether the kernel lacks it or it is off', () => {
  const statuses = ['Y\n', 'N\n', undefined].map((text) => apparmorFinding(text).status);
  assert.deepEqual(statuses, ['ok', 'warning', 'warning']);
});

test('a directory may be missing, but must not be a file', () => {
  const at = (facts: Parameters<typeof directoryFinding>[1], writable = true) =>
    directoryFinding('/h/.coi', facts, 5, writable).status;
  const directory = { kind: 'directory', real: '/h/.coi', owner: { uid: 0, gid: 0 } } as const;
  assert.equal(at({ kind: 'missing' }), 'ok');
  assert.equal(at(directory), 'ok');
  assert.equal(at(directory, false), 'failed');
  assert.equal(at({ kind: 'file' }), 'failed');
  assert.equal(at({ kind: 'unreadable' }), 'failed');
});

test('an image is too old after thirty days', () => {
  const days = (count: number) => ageFinding('coi-default', count * 24 * 3_600_000).status;
  assert.deepEqual([days(0), days(30), days(31)], ['ok', 'ok', 'warning']);
});

test('a kernel is too old after half a year, in every format of its build date', () => {
  const now = Date.parse('2026-07-01');
  const status = (text: string) => kernelAgeFinding(text, now).status;
  assert.equal(status('Linux version 6.12 #1 SMP Debian 6.12.1-1 (2026-06-01)\n'), 'ok');
  assert.equal(status('Linux version 6.1 #1 SMP Debian 6.1.129-1 (2025-03-06)\n'), 'warning');
  assert.equal(status('Linux version 6.8 #1 SMP Tue Mar  4 12:00:00 UTC 2025\n'), 'warning');
  assert.deepEqual(kernelAgeFinding('#1 SMP Mon Jun 29 12:00:00 CEST 2026', now).details, {
    built_at: '2026-06-29',
    age_days: 2,
  });
  assert.match(kernelAgeFinding('Linux version 6.18 #1 SMP @0', now).message, /unknown/);
});

test('the end of support is reported half a year before', () => {
  const debian = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n';
  const status = (at: string, text = debian) => supportFinding(text, Date.parse(at)).status;
  assert.deepEqual(
    ['2025-06-01', '2026-03-01', '2026-09-01'].map((at) => status(at)),
    ['ok', 'warning', 'warning'],
  );
  assert.match(
    supportFinding(debian, Date.parse('2026-09-01')).message,
    /support ended on 2026-06/,
  );
  assert.equal(status('2030-01-01', 'ID=arch\n'), 'ok');
});

test("a container's network is compared with the host's and with forbidden addresses", () => {
  const answer = {
    kind: 'answered',
    address: '203.0.113.1',
    connected: true,
    hostConnects: true,
    reached: [],
    hostReached: false,
    tookMs: 1,
  } as const;
  assert.equal(connectivityFinding(answer).status, 'ok');
  assert.equal(connectivityFinding({ ...answer, connected: false }).status, 'failed');
  const offline = { ...answer, address: undefined, connected: false, hostConnects: false };
  assert.equal(connectivityFinding(offline).status, 'warning');
  assert.equal(connectivityFinding({ kind: 'no-image', image: 'x' }).status, 'warning');
  assert.equal(restrictionFinding(answer).status, 'ok');
  assert.match(restrictionFinding({ ...answer, hostReached: true }).message, /this host/);
  const open = restrictionFinding({ ...answer, reached: ['10.0.0.1:80'] });
  assert.equal(open.status, 'failed');
  assert.equal(open.details?.['private_blocked'], false);
});
