// The package as `npm pack` makes it, installed as its users install it, on a copy of this checkout.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { mustRun, runCommand } from '../bed/command.ts';
import { testPrefix } from '../bed/prefix.ts';
import { coiPath } from '../bed/program.ts';
import { repositoryFiles } from '../tidy/source.ts';

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
    const node24 = dirname(process.execPath);
    env = { PATH: `${node24}:/usr/local/bin:/usr/bin:/bin`, HOME: directory };
    // npm's own settings (where packages come from, how to get there) are the machine's.
    for (const [name, value] of Object.entries(process.env))
      if (/^(npm_config_|https?_proxy$|no_proxy$|NODE_EXTRA_CA_CERTS$)/i.test(name) && value)
        env[name] = value;
    const config = join(process.env['HOME'] ?? '/root', '.npmrc');
    await cp(config, join(directory, '.npmrc')).catch(() => undefined);
    const checkout = join(directory, 'checkout');
    for (const path of repositoryFiles(root)) {
      await mkdir(dirname(join(checkout, path)), { recursive: true });
      await cp(join(root, path), join(checkout, path));
    }
    await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
    // Else the copy would install anew, through the link into this checkout.
    const lock = await readFile(join(root, 'package-lock.json'));
    const stamp = await readFile(join(root, 'node_modules/.coi-lock-sha256'), 'utf8');
    assert.equal(stamp, createHash('sha256').update(lock).digest('hex'), 'run npm ci first');
    await mustRun(['npm', 'pack', '--pack-destination', directory], {
      cwd: checkout,
      env,
      limitMs: timeout,
    });
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    packed = join(directory, `coi-${version}.tgz`);
    // Without dependencies nothing has to be fetched: --offline would fail for the first one.
    await mustRun(['npm', 'install', '--global', '--offline', '--prefix', prefix, packed], {
      env,
      limitMs: timeout,
    });
  },
  { timeout },
);
after(() => rm(directory, { recursive: true, force: true }));

const installed = (path: string) => join(prefix, 'lib/node_modules/coi', path);

test('the package has no runtime dependencies and installs globally without any network', async () => {
  const manifest = JSON.parse(await readFile(installed('package.json'), 'utf8'));
  const kinds = ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies'];
  for (const kind of kinds) assert.equal(manifest[kind], undefined, kind);
  const said = await mustRun(
    ['npm', 'ls', '--global', '--prefix', prefix, '--all', '--parseable'],
    {
      env,
    },
  );
  assert.deepEqual(said.stdout.trim().split('\n').slice(1), [installed('.').replace(/\/\.$/, '')]);
});

test('the installed command says the same version as the one of the checkout', async () => {
  const ours = await mustRun([coiPath(), 'version']);
  const theirs = await mustRun([join(prefix, 'bin/coi'), 'version'], { env });
  assert.equal(theirs.stdout, ours.stdout);
});

test('it holds what coid needs on both architectures, the scripts of guests, man page, guide and licences', async () => {
  const { stdout } = await mustRun(['tar', '-tzf', packed]);
  const files = stdout.split('\n');
  for (const path of [
    'dist/native/koffi-x64.node',
    'dist/native/koffi-arm64.node',
    'dist/guest/start.sh',
    'dist/guest/bootstrap.sh',
    'dist/LICENCES.txt',
    'man/coi.1',
    'docs/guide/first-session.md',
    'LICENSE',
  ])
    assert.ok(files.includes(`package/${path}`), path);
  const stray = files.filter((path) =>
    /package\/(src|test|bench|scripts|node_modules)\//.test(path),
  );
  assert.deepEqual(stray, []);
});

test('a Node that is too old gets a sentence, and no trace', async () => {
  const older = join(directory, 'older.cjs');
  await writeFile(older, "Object.defineProperty(process.versions, 'node', { value: '20.19.2' });");
  const said = await runCommand([process.execPath, '--require', older, installed('dist/main.js')]);
  assert.equal(said.status, 1);
  assert.match(said.stderr, /^Error: coi needs Node 24 or newer.*\nHint: .*\n$/);
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
  const said = await runCommand([process.execPath, tsc, '--pretty', 'false'], { cwd: project });
  const complaints = said.stdout.split('\n').filter((line) => line.includes('error'));
  assert.equal(complaints.length, 1, said.stdout);
  assert.match(complaints[0] ?? '', /^wrong\.ts\(2,\d+\): error TS2322/);
});

test('an upgrade as `coi update` says it takes the place of the link that setup made', async () => {
  const link = join(prefix, 'bin/coi');
  await rm(link);
  await symlink('/usr/local/lib/coi/current/bin/coi', link);
  const argv = ['npm', 'install', '--global', '--offline', '--prefix', prefix];
  await mustRun([...argv, '--force', packed], { env, limitMs: timeout });
  assert.equal(await realpath(link), await realpath(installed('dist/main.js')));
});
