// `coi clean --disk` on a private host, since images are shared by all users of a host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coiPath } from '../bed/program.ts';
import { startScreen } from '../bed/screen.ts';
import { PrivateHost } from './private-host.ts';

const limit = { timeout: 480_000 };
const home = '/run/home';
const store = `${home}/.coi/sessions-claude`;
const interrupted = '11111111-1111-4111-8111-111111111111';
const other = '33333333-3333-4333-8333-333333333333';
const saved = '22222222-2222-4222-8222-222222222222';

interface Report {
  readonly found: { kind: string; name: string; size_bytes: number | null; safe: boolean }[];
  readonly safe_bytes: number;
  readonly cleaned: string[];
  readonly failed: string[];
}

/** Three versions of an image, with the second one in use; sessions, a cache, logs. */
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

test('clean --disk shows what uses space, and deletes safe items if confirmed', limit, async () => {
  await using host = await PrivateHost.open();
  const coi = (...words: string[]) =>
    host.run('env', '-C', '/', `HOME=${home}`, 'XDG_CACHE_HOME=', coiPath(), ...words);
  const report = async (...flags: string[]) => {
    const result = await coi('clean', '--disk', '--json', ...flags);
    assert.equal(result.status, 0, result.stderr);
    return JSON.parse(result.stdout) as Report;
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
  assert.deepEqual(
    before.cleaned,
    [],
    'without a terminal nothing is deleted unless --force is given',
  );

  const text = await coi('clean', '--disk');
  assert.equal(text.status, 0);
  assert.match(text.stdout, /^OLD IMAGE +\S+ \S+ +yes +x-20260101-000000 \(x is newer\)$/m);
  assert.match(text.stdout, /^Total: .*, safe to delete: \d.* MiB$/m);
  assert.match(text.stderr, /--force` to delete what is safe/);
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

test(
  'images that other projects name are kept, however their configuration is formatted',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    const coi = (...words: string[]) =>
      host.run('env', '-C', '/', `HOME=${home}`, 'XDG_CACHE_HOME=', coiPath(), ...words);
    const shell = async (script: string) => {
      const result = await host.run('sh', '-ec', script);
      assert.equal(result.status, 0, result.stderr);
    };
    const safe = async () => {
      const result = await coi('clean', '--disk', '--json');
      assert.equal(result.status, 0, result.stderr);
      const { found } = JSON.parse(result.stdout) as Report;
      const names = found.filter((one) => one.kind === 'old image' && one.safe);
      return { names: names.map(({ name }) => name).sort(), stderr: result.stderr };
    };
    assert.equal((await host.run(coiPath(), 'setup', '--yes')).status, 0);
    await shell(`incus create --quiet --empty base
    publish() { incus publish --quiet base --alias "$1" description="x, built by coi" n="$1"; }
    for at in 1 2 3 4 5 6; do publish x-2026010$at-000000; done
    incus image alias create x "$(incus image list --format csv --columns f x-20260106-000000)"
    incus delete base
    mkdir -p ${home}/.coi`);
    const x = (at: number) => `x-2026010${at}-000000`;
    assert.deepEqual((await safe()).names, [1, 2, 3, 4, 5].map(x));

    const names = (image: string) => `[container]\\nimage = "${image}"\\n`;
    await shell(`mkdir -p /run/w1/.coi /run/w2/.coi/profiles/p /run/w3/.coi ${store}/${saved}/.claude
    printf '${names(x(1))}' > /run/w1/.coi/config.toml
    printf '${names(x(2))}' > /run/w2/.coi/profiles/p/config.toml
    printf '[broken\\n${names(x(3))}' > /run/w3/.coi/config.toml
    echo '{"one":"/run/w1","gone":{"workspace":"/run/gone"}}' > ${home}/.coi/aliases.json
    echo '{"container_name":"coi-w2-1","workspace":"/run/w2","saved_at":"2026-01-01T00:00:00Z"}' > ${store}/${saved}/metadata.json
    incus create --quiet --empty coi-w3-1 -c user.coi.version=1 -c user.coi.workspace=/run/w3 \\
      -c user.coi.session=s -c user.coi.slot=1 -c user.coi.owner=0 -c user.coi.network=restricted \\
      -c user.coi.persistent=true \\
      -c user.coi.mounts='{"id":"m","runDir":"/run/coi","ownerUid":0,"ownerGid":0,"idmapBase":0,"mounts":[]}'`);
    assert.deepEqual((await safe()).names, [4, 5].map(x));

    // So is a pool that a configuration names.
    await shell(`incus storage create --quiet other dir
    incus storage create --quiet third dir
    for pool in other third; do
      incus copy --quiet coi-w3-1 coi-$pool-1 --storage $pool -c user.coi.workspace=/run/$pool
      mkdir -p /run/$pool/.coi
    done
    printf '[container]\\nstorage_pool = "other"\\n' > /run/other/.coi/config.toml`);
    const pools = await coi('clean', '--pools', '--dry-run');
    assert.match(pools.stdout, /coi-third-1 .*in pool third, which no profile uses/);
    assert.doesNotMatch(pools.stdout, /coi-other-1/);

    // A container of another project counts too.
    await shell(`incus project create work -c features.images=false
    incus create --quiet ${x(4)} web --project work --storage default`);
    assert.deepEqual((await safe()).names, [x(5)]);

    // A link out is not read and does not block: then no image is known to be unused.
    await shell(`rm /run/w1/.coi/config.toml; ln -s /etc/passwd /run/w1/.coi/config.toml
    rm -r /run/w2/.coi; mkfifo /run/w2/.coi`);
    const kept = await safe();
    assert.deepEqual(kept.names, []);
    assert.match(
      kept.stderr,
      /^Warning: old images are kept because these files cannot be read .*"\/run\/w1"/m,
    );
    assert.match(kept.stderr, /"\/run\/w2"/);
  },
);

test('items that change during the question are kept and reported', limit, async () => {
  await using host = await PrivateHost.open();
  assert.equal((await host.run(coiPath(), 'setup', '--yes')).status, 0);
  const shell = async (script: string) => {
    const result = await host.run('sh', '-ec', script);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  await shell(`incus create --quiet --empty base
    publish() { incus publish --quiet base --alias "$1" description="x, built by coi" n="$1"; }
    for at in 1 2 3 4 5; do publish x-2026010$at-000000; done
    incus image alias create x "$(incus image list --format csv --columns f x-20260105-000000)"
    mkdir -p ${store}/${interrupted} ${store}/${other} ${home}/.cache/coi ${home}/.coi/logs
    echo 1 > ${home}/.coi/logs/one
    touch -d '1 day ago' ${store}/${interrupted} ${store}/${other}`);
  const options = {
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', HOME: home },
    cwd: '/',
    columns: 200,
  };
  const argv = host.enter('env', '-C', '/', 'XDG_CACHE_HOME=', coiPath(), 'clean', '--disk');
  const screen = startScreen(argv, options);
  await screen.waitFor('Delete what is safe to delete');
  await shell(`incus image alias create wanted "$(incus image list --format csv --columns f x-20260101-000000)"
    incus create --quiet x-20260102-000000 web
    printf '[container]\\nimage = "x-20260103-000000"\\n' > ${home}/.coi/config.toml
    mv ${store}/${interrupted} /run/moved
    mkdir ${store}/${interrupted}
    touch -r /run/moved ${store}/${interrupted}
    echo more >> ${home}/.coi/logs/one
    mv ${home}/.cache/coi ${home}/.cache/was
    ln -s was ${home}/.cache/coi`);
  screen.type('y\r');
  assert.equal((await screen.ended()).status, 0);
  const text = screen.text();
  for (const [name, why] of [
    ['x-20260101-000000', 'it got another name'],
    ['x-20260102-000000', 'a container was made from it'],
    ['x-20260103-000000', 'it was used, or something names it'],
    [`${store}/${interrupted}`, 'something else took its place'],
    [`${home}/.coi/logs`, 'something in it was changed'],
    [`${home}/.cache/coi`, 'something else took its place'],
  ])
    assert.ok(text.includes(`${name}: ${why} since it was listed`), `${name}: ${text}`);
  assert.match(text, /Cleaned 2 item\(s\)/);
  const left = await shell(
    `incus image alias list --format csv --columns a; ls ${store} ${home}/.coi/logs ${home}/.cache/was/`,
  );
  for (const at of [1, 2, 3, 5]) assert.match(left, new RegExp(`x-2026010${at}-000000`));
  assert.doesNotMatch(left, new RegExp(`x-20260104-000000|${other}`));
  assert.match(left, new RegExp(interrupted));
});

test('clean --disk cannot be combined with other selections', limit, async () => {
  await using host = await PrivateHost.open();
  for (const other of ['--all', '--sessions', '--orphans', '--pools', '--ownership', 'name']) {
    const result = await host.run(coiPath(), 'clean', '--disk', other);
    assert.equal(result.status, 2, other);
    assert.match(result.stderr, /^Error: --disk cannot be combined with (?:names|--)/);
  }
});
