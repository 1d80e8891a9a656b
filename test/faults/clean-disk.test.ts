// `coi clean --disk` on a host of its own, since images belong to all users of one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coiPath } from '../bed/program.ts';
import { PrivateHost } from './private-host.ts';

const limit = { timeout: 480_000 };
const home = '/run/home';
const store = `${home}/.coi/sessions-claude`;
const interrupted = '11111111-1111-4111-8111-111111111111';
const saved = '22222222-2222-4222-8222-222222222222';

interface Report {
  readonly found: { kind: string; name: string; size_bytes: number | null; safe: boolean }[];
  readonly safe_bytes: number;
  readonly cleaned: string[];
  readonly failed: string[];
}

/** Three versions of an image, of which the second is used by somebody; sessions, a cache, logs. */
const scene = `set -e
incus create --quiet --empty coi-kept
incus snapshot create coi-kept first
publish() { incus publish --quiet coi-kept --alias "$1" description="x, built by coi" n="$1"; }
publish x-20260101-000000
publish x-20260201-000000
publish x-20260301-000000
incus image alias create x "$(incus image list --format csv --columns f x-20260301-000000)"
incus create --quiet x-20260201-000000 web
mkdir -p ${store}/${interrupted} ${store}/${saved}/.claude ${home}/.cache/coi/compiled ${home}/.coi/logs
echo '{"session_id":"${saved}","workspace":"/w","saved_at":"2026-01-01T00:00:00Z"}' > ${store}/${saved}/metadata.json
head -c 2000000 /dev/urandom > ${home}/.cache/coi/compiled/code
echo said > ${home}/.coi/logs/build.log
ln -s /etc/passwd ${home}/.coi/logs/link
touch -d '1 day ago' ${store}/${interrupted}`;

test('it shows what uses space, and deletes what is safe when that is wished', limit, async () => {
  await using host = await PrivateHost.open();
  const coi = (...words: string[]) =>
    host.run('env', '-C', '/', `HOME=${home}`, 'XDG_CACHE_HOME=', coiPath(), ...words);
  const report = async (...flags: string[]) => {
    const said = await coi('clean', '--disk', '--json', ...flags);
    assert.equal(said.status, 0, said.stderr);
    return JSON.parse(said.stdout) as Report;
  };
  assert.equal((await host.run(coiPath(), 'setup', '--yes')).status, 0);
  const made = await host.run('sh', '-c', scene);
  assert.equal(made.status, 0, made.stderr);

  const before = await report();
  const kinds = (safe: boolean) =>
    before.found.filter((one) => one.safe === safe).map(({ kind, name }) => `${kind} ${name}`);
  assert.deepEqual(kinds(true), [
    'old image x-20260101-000000',
    `leftover ${store}/${interrupted}`,
    `cache ${home}/.cache/coi`,
    `logs ${home}/.coi/logs`,
  ]);
  assert.deepEqual(kinds(false).sort(), [
    'container coi-kept',
    'image x',
    'image x-20260201-000000',
    'program /usr/local/lib/coi',
    `sessions ${store}`,
    'snapshot coi-kept/first',
  ]);
  assert.ok(before.safe_bytes > 2_000_000, String(before.safe_bytes));
  assert.deepEqual(before.cleaned, [], 'nothing goes without --force where nobody can be asked');

  const text = await coi('clean', '--disk');
  assert.equal(text.status, 0);
  assert.match(text.stdout, /^OLD IMAGE +\S+ \S+ +yes +x-20260101-000000 \(x is newer\)$/m);
  assert.match(text.stdout, /^Total: .*, safe to delete: \d.* MiB$/m);
  assert.match(text.stderr, /--force` deletes what is safe/);
  assert.deepEqual((await report('--force', '--dry-run')).cleaned, []);

  const after = await report('--force');
  assert.deepEqual(after.failed, []);
  assert.equal(after.cleaned.length, 4);
  const images = await host.run('incus', 'image', 'alias', 'list', '--format', 'csv');
  assert.doesNotMatch(images.stdout, /20260101/);
  assert.match(images.stdout, /20260201.*20260301/s);
  const left = await host.run('sh', '-c', `ls ${store} ${home}/.coi; wc -l < /etc/passwd`);
  assert.match(left.stdout, new RegExp(saved));
  assert.doesNotMatch(left.stdout, new RegExp(`${interrupted}|logs`));
  assert.match(left.stdout, /^\d+$/m);
  assert.deepEqual(
    (await report()).found.filter(({ safe, kind }) => safe && kind !== 'cache'),
    [],
  );
});

test('it does not go together with what chooses something else', limit, async () => {
  await using host = await PrivateHost.open();
  for (const other of ['--all', '--sessions', '--orphans', '--pools', '--ownership', 'name']) {
    const said = await host.run(coiPath(), 'clean', '--disk', other);
    assert.equal(said.status, 2, other);
    assert.match(said.stderr, /^Error: --disk does not go together with (?:names|--)/);
  }
});
