// Goal: coid opens exactly the mount source that was checked, however fast its name is swapped, on a real file system.
// Method: coid's own opening of sources, as root with an ordinary user's rights, compared with plain opening by name.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { MountRequest } from '../../src/coid-api/session-protocol.ts';
import { MountRoots } from '../../src/daemon/mounts/mount-roots.ts';
import { MountSources, type SourceOptions } from '../../src/daemon/mounts/mount-sources.ts';
import { openAs } from '../../src/host/fs/open-mount-source.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { localFiles } from '../bed/local-files.ts';
import { testPrefix } from '../bed/prefix.ts';

const ids = { uid: 20_411, gid: 20_411, groups: [] };
const session = '00000000-0000-4000-8000-000000000001';
const other = '00000000-0000-4000-8000-000000000002';
const libc = await loadLibc();

/** A user's directories: `ws` with `sub` in it, `private` that no session may see, and coid's own notes. */
class MountFixture implements Disposable {
  readonly top = realpathSync(mkdtempSync(`/tmp/${testPrefix}-open-`));
  readonly roots: MountRoots;

  constructor() {
    chmodSync(this.top, 0o755);
    for (const name of ['ws', 'ws/sub', 'private', 'data']) this.directory(name);
    chmodSync(this.at('private'), 0o700);
    this.roots = new MountRoots({
      ...{ libc, files: localFiles },
      log: () => undefined,
      runDir: this.at('run'),
      stateDir: this.at('state'),
    });
    this.roots.load();
  }

  [Symbol.dispose](): void {
    rmSync(this.top, { recursive: true });
  }

  at(name: string): string {
    return join(this.top, name);
  }

  directory(name: string): void {
    mkdirSync(this.at(name));
    chownSync(this.at(name), ids.uid, ids.gid);
  }

  link(name: string, target: string): void {
    symlinkSync(target, this.at(name));
  }

  options(more: Partial<SourceOptions> = {}): SourceOptions {
    const sensitive = { homes: [], runDir: this.at('run'), stateDir: this.at('state') };
    const own = { libc, ids, session, workspace: this.at('ws'), sensitive, roots: this.roots };
    return { files: localFiles, ...own, ...more };
  }

  /** Current paths of the opened sources. */
  opened(mounts: readonly MountRequest[], more: Partial<SourceOptions> = {}): string[] {
    using sources = new MountSources(this.options(more));
    return sources.open(mounts).map(({ source }) => source.path);
  }

  /** Marks that directory as a session's, as coid records it. */
  live(id: string, name: string, readonly = false): void {
    const request = { name: 'workspace', source: this.at(name), readonly };
    using sources = new MountSources(this.options({ workspace: this.at(name) }));
    this.roots.set(id, sources.open([request]));
  }
}

const mount = (source: string, more: Partial<MountRequest> = {}): MountRequest => ({
  name: 'mount-0',
  source,
  readonly: false,
  ...more,
});

/** Swaps `sub` for a link and back as fast as possible until it is killed. */
function swapping(dirs: MountFixture): AsyncDisposable {
  const code = `
    const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
    const { workerData: top } = require('node:worker_threads');
    for (;;) {
      renameSync(top + '/ws/sub', top + '/ws/kept');
      symlinkSync(top + '/private', top + '/ws/sub');
      unlinkSync(top + '/ws/sub');
      renameSync(top + '/ws/kept', top + '/ws/sub');
    }`;
  const worker = new Worker(code, { eval: true, workerData: dirs.top });
  return { [Symbol.asyncDispose]: async () => void (await worker.terminate()) };
}

/** Results of that many tries; a refusal counts as its code. */
function countResults(count: number, attempt: () => string): Map<string, number> {
  const seen = new Map<string, number>();
  for (let at = 0; at < count; at += 1) {
    let what: string;
    try {
      what = attempt();
    } catch (error) {
      what = String((error as { code?: string }).code);
    }
    seen.set(what, (seen.get(what) ?? 0) + 1);
  }
  return seen;
}

test('a directory swapped between check and open is redirected by name, but never when coid opens it', {
  timeout: 60_000,
}, async () => {
  using dirs = new MountFixture();
  const [inside, wanted] = [dirs.at('ws/sub'), dirs.at('private')];
  await using _swapping = swapping(dirs);
  const byName = () => {
    if (realpathSync(inside) !== inside) return 'waits for trust';
    const { fd, path } = openAs(libc, ids, inside);
    closeSync(fd);
    return path;
  };
  let control = countResults(100, byName);
  while (!control.has(wanted)) control = countResults(100, byName);

  const seen = countResults(2000, () => dirs.opened([mount(inside)])[0] ?? '');
  assert.deepEqual(
    [...seen.keys()].filter((what) => !/ws\/(sub|kept)$|^mount-invalid$/.test(what)),
    [],
  );
  // Both sides of the race occurred.
  assert.ok((seen.get('mount-invalid') ?? 0) > 0, JSON.stringify([...seen]));
  assert.ok(seen.size > 1, JSON.stringify([...seen]));
});

test('no link is followed below the first directory that a session can write, for any user or path', () => {
  using dirs = new MountFixture();
  dirs.directory('other');
  dirs.link('other/planted', dirs.at('private'));
  dirs.link('own', dirs.at('private'));
  dirs.link('to-other', dirs.at('other'));
  // Control: while nobody can write there, these links are followed.
  for (const name of ['other/planted', 'own', 'to-other/planted'])
    assert.deepEqual(dirs.opened([mount(dirs.at(name))]), [dirs.at('private')]);
  dirs.live(other, 'other');
  assert.deepEqual(dirs.opened([mount(dirs.at('own'))]), [dirs.at('private')]);
  assert.deepEqual(dirs.opened([mount(dirs.at('to-other'))]), [dirs.at('other')]);
  for (const name of ['other/planted', 'to-other/planted'])
    assert.throws(() => dirs.opened([mount(dirs.at(name))]), {
      code: 'mount-invalid',
      message: /leads through the link ".*planted", which a session could have created/,
    });
  // Also as a separate workspace, and below it.
  dirs.link('other/nested', dirs.at('data'));
  for (const name of ['other/nested', 'other/planted'])
    assert.throws(() => openResult(dirs, name), { code: 'workspace-invalid', message: /the link/ });
  // A session cannot swap directories that it can only read.
  dirs.live(other, 'other', true);
  assert.deepEqual(dirs.opened([mount(dirs.at('other/planted'))]), [dirs.at('private')]);
});

function openResult(dirs: MountFixture, workspace: string): string {
  using sources = new MountSources(dirs.options({ workspace: dirs.at(workspace) }));
  return sources.workspace().path;
}

test('a link in a directory that the same session mounts writable is not followed, in any order', () => {
  using dirs = new MountFixture();
  dirs.link('data/planted', dirs.at('private'));
  const outer = mount(dirs.at('data'), { name: 'outer' });
  const inner = mount(dirs.at('data/planted'), { name: 'inner' });
  assert.deepEqual(dirs.opened([inner]), [dirs.at('private')]);
  for (const mounts of [
    [outer, inner],
    [inner, outer],
  ])
    assert.throws(() => dirs.opened(mounts), { code: 'mount-invalid', message: /planted/ });
  const reading = { ...outer, readonly: true };
  assert.equal(dirs.opened([reading, inner]).length, 2);
});

test('a source that was checked to be in the workspace is opened there or refused, wherever its name leads', () => {
  using dirs = new MountFixture();
  dirs.link('ws/out', dirs.at('private'));
  dirs.link('way', dirs.at('ws'));
  const openChecked = (inside: string, source = dirs.at('private')) =>
    dirs.opened([mount(source, { inside })]);
  assert.deepEqual(openChecked('sub'), [dirs.at('ws/sub')]);
  assert.deepEqual(openChecked('.'), [dirs.at('ws')]);
  for (const inside of ['out', 'missing', 'sub/../../private'])
    assert.throws(() => openChecked(inside), { code: 'mount-invalid' });
  // The workspace itself may be behind a link of the user.
  const linked = { workspace: dirs.at('way') };
  assert.deepEqual(dirs.opened([mount(dirs.at('way/sub'))], linked), [dirs.at('ws/sub')]);
  assert.throws(() => dirs.opened([mount(dirs.at('way/out'))], linked), {
    code: 'mount-invalid',
    message: /through a link in the workspace/,
  });
});

test('a remount uses only the directory that was mounted, by identity and not by name', () => {
  using dirs = new MountFixture();
  dirs.link('link', 'data');
  const requests = [
    { name: 'workspace', source: dirs.at('ws'), readonly: false },
    mount(dirs.at('link')),
    mount(dirs.at('ws/sub'), { name: 'mount-1' }),
  ];
  using sources = new MountSources(dirs.options());
  dirs.roots.set(session, sources.open(requests));
  const again = (asked = requests) =>
    dirs.opened(asked, { earlier: dirs.roots.of(session), onlyEarlier: true });
  const all = [dirs.at('ws'), dirs.at('data'), dirs.at('ws/sub')];
  assert.deepEqual(again(), all);
  // The next coid knows it from the disk.
  const next = new MountRoots({
    ...{ libc, files: localFiles },
    log: () => undefined,
    runDir: dirs.at('run'),
    stateDir: dirs.at('state'),
  });
  next.load();
  assert.deepEqual(next.of(session), dirs.roots.of(session));

  const other = { code: 'mount-invalid', message: /is not the directory that was mounted/ };
  rmSync(dirs.at('link'));
  dirs.link('link', 'private');
  assert.throws(() => again(), other);
  rmSync(dirs.at('link'));
  dirs.link('link', 'data');
  renameSync(dirs.at('data'), dirs.at('moved'));
  dirs.directory('data');
  assert.throws(() => again(), other);
  rmdirSync(dirs.at('data'));
  renameSync(dirs.at('moved'), dirs.at('data'));
  assert.deepEqual(again(), all);
  // A checkout recreates directories of the workspace; existing there is sufficient.
  rmdirSync(dirs.at('ws/sub'));
  dirs.directory('ws/sub');
  assert.deepEqual(again(), all);

  const unknown = { code: 'mount-invalid', message: /not one of the directories/ };
  assert.throws(() => again([mount(dirs.at('private'))]), unknown);
  renameSync(dirs.at('ws'), dirs.at('ws-before'));
  dirs.directory('ws');
  dirs.directory('ws/sub');
  assert.throws(() => again(), { code: 'workspace-invalid', message: other.message });
});

test('a read-only mount never comes back writable', () => {
  using dirs = new MountFixture();
  const reading = mount(dirs.at('data'), { readonly: true });
  using sources = new MountSources(dirs.options());
  dirs.roots.set(session, sources.open([reading]));
  const again = { earlier: dirs.roots.of(session), onlyEarlier: true };
  assert.deepEqual(dirs.opened([reading], again), [dirs.at('data')]);
  assert.throws(() => dirs.opened([mount(dirs.at('data'))], again), { code: 'mount-invalid' });
});

test("root's later work uses only the directory that was mounted", async () => {
  using dirs = new MountFixture();
  dirs.live(session, 'data');
  const source = dirs.at('data');
  const isThere = async () => {
    const found = await dirs.roots.reopen(session, source);
    if (found) closeSync(found.fd);
    return found !== undefined;
  };
  assert.ok(await isThere());
  renameSync(source, dirs.at('kept'));
  assert.ok(!(await isThere()));
  dirs.link('data', 'private');
  // Control: by name, with the user's rights, the link is followed.
  const followed = openAs(libc, ids, source);
  closeSync(followed.fd);
  assert.equal(followed.path, dirs.at('private'));
  assert.ok(!(await isThere()));
  rmSync(source);
  dirs.directory('data');
  writeFileSync(join(source, 'program'), '');
  assert.ok(!(await isThere()));
  rmSync(source, { recursive: true });
  renameSync(dirs.at('kept'), source);
  assert.ok(await isThere());
  assert.equal(await dirs.roots.reopen(other, source), undefined);
});
