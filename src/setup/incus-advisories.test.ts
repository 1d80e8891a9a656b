import assert from 'node:assert/strict';
import { test } from 'node:test';
import { securityFinding } from './checks/incus-security.ts';
import { debianPackage, missingUpdates, securityUpdates, tableDate } from './incus-advisories.ts';

const dates = (version: string, installed?: string) =>
  missingUpdates(version, debianPackage(installed)).map(({ date }) => date);
const from = (date: string) =>
  securityUpdates.map((update) => update.date).filter((one) => one >= date);

test('the advisory table is sorted, has each advisory once, and is not older than its last row', () => {
  const known = securityUpdates.map(({ date }) => date);
  assert.deepEqual(known, known.toSorted());
  assert.ok(known.every((date) => date <= tableDate));
  const advisories = securityUpdates.flatMap((update) => update.advisories);
  assert.equal(new Set(advisories).size, advisories.length);
  for (const advisory of advisories)
    assert.match(advisory, /^GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}$/);
});

test('an upstream version lacks later fixes of its own branch', () => {
  assert.deepEqual(
    dates('6.0.5'),
    from('2025-11-10').filter((date) => date !== '2026-05-28'),
  );
  assert.deepEqual(
    dates('6.0.6'),
    from('2026-03-24').filter((date) => date !== '2026-05-28'),
  );
  assert.deepEqual(dates('6.0.7'), ['2026-10-29']);
  assert.deepEqual(dates('6.0.8'), []);
  assert.deepEqual(dates('6.18'), from('2025-11-10'));
  assert.deepEqual(dates('6.23.0'), from('2026-05-01'));
  assert.deepEqual(dates('7.0.0'), from('2026-05-28'));
  assert.deepEqual(dates('7.0.1'), from('2026-07-30'));
  assert.deepEqual(dates('7.0.2'), ['2026-10-29']);
  assert.deepEqual(dates('7.0.3'), []);
  assert.deepEqual(dates('7.1'), from('2026-06-25'));
  assert.deepEqual(dates('7.5.1'), ['2026-10-29']);
  assert.deepEqual(dates('7.6'), []);
  assert.deepEqual(dates('7.10.0'), []);
  assert.deepEqual(dates('8.0'), []);
});

test('a Debian package is judged by its own version, a backport by its origin', () => {
  assert.deepEqual(dates('6.0.4', '6.0.4-2+deb13u12'), []);
  assert.deepEqual(dates('6.0.4', '6.0.4-2+deb13u11'), ['2026-10-29']);
  const u7 = from('2026-06-25');
  assert.deepEqual(dates('6.0.4', '6.0.4-2+deb13u7'), u7);
  assert.deepEqual(dates('6.0.4', '6.0.4-2+deb13u7~bpo12+1'), u7);
  assert.deepEqual(dates('7.0.2', '7.0.2-3'), []);
  assert.deepEqual(dates('7.0.2', '7.0.2-2'), ['2026-10-29']);
  assert.deepEqual(dates('7.0.2', '7.0.2-3+b1'), []);
  // Other packages count as their upstream version.
  assert.deepEqual(dates('6.0.4', '6.0.4-2ubuntu1'), dates('6.0.4'));
  assert.deepEqual(dates('7.0.2', '1:7.0.2-debian12-202611'), dates('7.0.2'));
});

test('the finding names the missing fixes and what to do', () => {
  const current = securityFinding('6.0.4', '6.0.4-2+deb13u12');
  assert.equal(current.status, 'ok');
  assert.match(current.message, /6\.0\.4-2\+deb13u12.*known on 2026-/);
  const old = securityFinding('6.0.4', '6.0.4-2+deb13u7~bpo12+1');
  assert.equal(old.status, 'warning');
  assert.match(
    old.message,
    /lacks 5 security updates, the first of 2026-06-25; 2 of them critical/,
  );
  assert.match(old.hint ?? '', /Debian has all of them in 6\.0\.4-2\+deb13u12/);
  const upstream = securityFinding('7.0.2', undefined);
  assert.match(upstream.message, /^7\.0\.2 lacks 1 security update, the first of 2026-10-29$/);
  assert.match(
    upstream.hint ?? '',
    /7\.6\.0 has all of them, or a release of 7\.0 after 7\.0\.2\./,
  );
  const ubuntu = securityFinding('6.0.0', '6.0.0-1ubuntu0.3');
  assert.match(ubuntu.hint ?? '', /may have some of them: see .*changelog/);
  // The installed version may differ from the running one.
  assert.match(securityFinding('6.23', '7.0.2-3').message, /^6\.23 lacks/);
});
