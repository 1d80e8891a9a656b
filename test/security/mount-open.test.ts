// Goal: what coid opens for a mount is what was judged, however fast somebody swaps names, on a real file system.
// Method: coid's own opening of sources, as root with an ordinary user's rights, beside plain opening by the name.
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
import { type SourceOptions, Sources } from '../../src/daemon/mounts/mount-sources.ts';
import { openAs } from '../../src/host/fs/open-source.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { localFiles } from '../bed/local-files.ts';
import { testPrefix } from '../bed/prefix.ts';

const ids = { uid: 20_411, gid: 20_411, groups: [] };
const session = '00000000-0000-4000-8000-000000000001';
const other = '00000000-0000-4000-8000-000000000002';
const libc = await loadLibc();

/** A user's directories: `ws` with `sub` in it, `private` that no session may see, and coid's own notes. */
class Place implements Disposable {
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

  /** Where the sources are, as they were opened. */
  opened(mounts: readonly MountRequest[], more: Partial<SourceOptions> = {}): string[] {
    using sources = new Sources(this.options(more));
    return sources.open(mounts).map(({ source }) => source.path);
  }

  /** That directory is a session's, as coid writes it down. */
  live(id: string, name: string, readonly = false): void {
    const request = { name: 'workspace', source: this.at(name), readonly };
    using sources = new Sources(this.options({ workspace: this.at(name) }));
    this.roots.set(id, sources.open([request]));
  }
}

const mount = (source: string, more: Partial<MountRequest> = {}): MountRequest => ({
  name: 'mount-0',
  source,
  readonly: false,
  ...more,
});

/** Exchanges `sub` for a link and back as fast as it can, until it is ended. */
function swapping(place: Place): AsyncDisposable {
  const code = `
    const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
    const { workerData: top } = require('node:worker_threads');
    for (;;) {
      renameSync(top + '/ws/sub', top + '/ws/kept');
      symlinkSync(top + '/private', top + '/ws/sub');
      unlinkSync(top + '/ws/sub');
      renameSync(top + '/ws/kept', top + '/ws/sub');
    }`;
  const worker = new Worker(code, { eval: true, workerData: place.top });
  return { [Symbol.asyncDispose]: async () => void (await worker.terminate()) };
}

/** What happens in so many tries; a refusal counts as its code. */
function tries(count: number, attempt: () => string): Map<string, number> {
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

test('judged by name and opened by name, a directory that is swapped meanwhile leads elsewhere; opened by coid it never does', {
  timeout: 60_000,
}, async () => {
  using place = new Place();
  const [inside, wanted] = [place.at('ws/sub'), place.at('private')];
  await using _swapping = swapping(place);
  const byName = () => {
    if (realpathSync(inside) !== inside) return 'waits for trust';
    const { fd, path } = openAs(libc, ids, inside);
    closeSync(fd);
    return path;
  };
  let control = tries(100, byName);
  while (!control.has(wanted)) control = tries(100, byName);

  const seen = tries(2000, () => place.opened([mount(inside)])[0] ?? '');
  assert.deepEqual(
    [...seen.keys()].filter((what) => !/ws\/(sub|kept)$|^mount-invalid$/.test(what)),
    [],
  );
  // Both sides of the race were met.
  assert.ok((seen.get('mount-invalid') ?? 0) > 0, JSON.stringify([...seen]));
  assert.ok(seen.size > 1, JSON.stringify([...seen]));
});

test('from the first directory that a session can write, no link is followed, whoever asks and by whatever way', () => {
  using place = new Place();
  place.directory('other');
  place.link('other/planted', place.at('private'));
  place.link('own', place.at('private'));
  place.link('to-other', place.at('other'));
  // The control: while nobody can write there, these are links as any others.
  for (const name of ['other/planted', 'own', 'to-other/planted'])
    assert.deepEqual(place.opened([mount(place.at(name))]), [place.at('private')]);
  place.live(other, 'other');
  assert.deepEqual(place.opened([mount(place.at('own'))]), [place.at('private')]);
  assert.deepEqual(place.opened([mount(place.at('to-other'))]), [place.at('other')]);
  for (const name of ['other/planted', 'to-other/planted'])
    assert.throws(() => place.opened([mount(place.at(name))]), {
      code: 'mount-invalid',
      message: /leads through the link ".*planted", which a session could have placed/,
    });
  // As a workspace of its own, too, and below it.
  place.link('other/nested', place.at('data'));
  for (const name of ['other/nested', 'other/planted'])
    assert.throws(() => opens(place, name), { code: 'workspace-invalid', message: /the link/ });
  // What it may only read it cannot exchange.
  place.live(other, 'other', true);
  assert.deepEqual(place.opened([mount(place.at('other/planted'))]), [place.at('private')]);
});

function opens(place: Place, workspace: string): string {
  using sources = new Sources(place.options({ workspace: place.at(workspace) }));
  return sources.workspace().path;
}

test('a link in a directory that the same session gets for writing is not followed, in whatever order they are named', () => {
  using place = new Place();
  place.link('data/planted', place.at('private'));
  const outer = mount(place.at('data'), { name: 'outer' });
  const inner = mount(place.at('data/planted'), { name: 'inner' });
  assert.deepEqual(place.opened([inner]), [place.at('private')]);
  for (const mounts of [
    [outer, inner],
    [inner, outer],
  ])
    assert.throws(() => place.opened(mounts), { code: 'mount-invalid', message: /planted/ });
  const reading = { ...outer, readonly: true };
  assert.equal(place.opened([reading, inner]).length, 2);
});

test('what was judged to lie in the workspace is opened there or refused, also where its name leads elsewhere', () => {
  using place = new Place();
  place.link('ws/out', place.at('private'));
  place.link('way', place.at('ws'));
  const judged = (inside: string, source = place.at('private')) =>
    place.opened([mount(source, { inside })]);
  assert.deepEqual(judged('sub'), [place.at('ws/sub')]);
  assert.deepEqual(judged('.'), [place.at('ws')]);
  for (const inside of ['out', 'missing', 'sub/../../private'])
    assert.throws(() => judged(inside), { code: 'mount-invalid' });
  // The workspace itself may be reached through a link of the user's.
  const linked = { workspace: place.at('way') };
  assert.deepEqual(place.opened([mount(place.at('way/sub'))], linked), [place.at('ws/sub')]);
  assert.throws(() => place.opened([mount(place.at('way/out'))], linked), {
    code: 'mount-invalid',
    message: /through a link in the workspace/,
  });
});

test('unasked, only the directory that was mounted is mounted again, by its identity and not by its name', () => {
  using place = new Place();
  place.link('link', 'data');
  const requests = [
    { name: 'workspace', source: place.at('ws'), readonly: false },
    mount(place.at('link')),
    mount(place.at('ws/sub'), { name: 'mount-1' }),
  ];
  using sources = new Sources(place.options());
  place.roots.set(session, sources.open(requests));
  const again = (asked = requests) =>
    place.opened(asked, { before: place.roots.of(session), onlyBefore: true });
  const all = [place.at('ws'), place.at('data'), place.at('ws/sub')];
  assert.deepEqual(again(), all);
  // The next coid knows it from the disk.
  const next = new MountRoots({
    ...{ libc, files: localFiles },
    log: () => undefined,
    runDir: place.at('run'),
    stateDir: place.at('state'),
  });
  next.load();
  assert.deepEqual(next.of(session), place.roots.of(session));

  const other = { code: 'mount-invalid', message: /is not what was mounted before/ };
  rmSync(place.at('link'));
  place.link('link', 'private');
  assert.throws(() => again(), other);
  rmSync(place.at('link'));
  place.link('link', 'data');
  renameSync(place.at('data'), place.at('moved'));
  place.directory('data');
  assert.throws(() => again(), other);
  rmdirSync(place.at('data'));
  renameSync(place.at('moved'), place.at('data'));
  assert.deepEqual(again(), all);
  // A checkout makes directories of the workspace anew; that one lies there is enough.
  rmdirSync(place.at('ws/sub'));
  place.directory('ws/sub');
  assert.deepEqual(again(), all);

  const unknown = { code: 'mount-invalid', message: /not among what coid mounted/ };
  assert.throws(() => again([mount(place.at('private'))]), unknown);
  renameSync(place.at('ws'), place.at('ws-before'));
  place.directory('ws');
  place.directory('ws/sub');
  assert.throws(() => again(), { code: 'workspace-invalid', message: /is not what was mounted/ });
});

test('a mount that was only for reading does not come again for writing', () => {
  using place = new Place();
  const reading = mount(place.at('data'), { readonly: true });
  using sources = new Sources(place.options());
  place.roots.set(session, sources.open([reading]));
  const again = { before: place.roots.of(session), onlyBefore: true };
  assert.deepEqual(place.opened([reading], again), [place.at('data')]);
  assert.throws(() => place.opened([mount(place.at('data'))], again), { code: 'mount-invalid' });
});

test('root works again only on the directory that was mounted', async () => {
  using place = new Place();
  place.live(session, 'data');
  const source = place.at('data');
  const isThere = async () => {
    const found = await place.roots.reopened(session, source);
    if (found) closeSync(found.fd);
    return found !== undefined;
  };
  assert.ok(await isThere());
  renameSync(source, place.at('kept'));
  assert.ok(!(await isThere()));
  place.link('data', 'private');
  // The control: the name with the user's rights leads on.
  const led = openAs(libc, ids, source);
  closeSync(led.fd);
  assert.equal(led.path, place.at('private'));
  assert.ok(!(await isThere()));
  rmSync(source);
  place.directory('data');
  writeFileSync(join(source, 'program'), '');
  assert.ok(!(await isThere()));
  rmSync(source, { recursive: true });
  renameSync(place.at('kept'), source);
  assert.ok(await isThere());
  assert.equal(await place.roots.reopened(other, source), undefined);
});
