// coi as one executable file: started without Node, and a whole session with its own coid.
import assert from 'node:assert/strict';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun, runCommand } from '../bed/command.ts';
import { testPrefix } from '../bed/prefix.ts';
import { coiPath } from '../bed/program.ts';

const root = resolve(import.meta.dirname, '../..');
const timeout = 240_000;
let directory: string;
let binary: string;
let versionText: string;
let bed: Bed;

before(
  async () => {
    versionText = (await mustRun([coiPath(), 'version'])).stdout;
    directory = await mkdtemp(`/tmp/${testPrefix}-binary-`);
    await chmod(directory, 0o755);
    binary = join(directory, 'coi');
    const script = join(root, 'scripts/release-binary.ts');
    await mustRun([process.execPath, script, '--out', binary], { limitMs: timeout });
    // From here on every coi of the bed is that file, including coid.
    process.env['COI_TEST_PROGRAM'] = binary;
    bed = await makeBed();
  },
  { timeout },
);
after(async () => {
  await bed?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

test('in a container without Node the binary prints the same version as the checkout', {
  timeout,
}, async () => {
  const name = `${bed.prefix}bare`;
  const done = async (...args: string[]) => {
    const result = await bed.coi(args, { limitMs: timeout });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  await done('container', 'launch', bed.image, name);
  await done('file', 'push', binary, `${name}:/usr/local/bin/coi`);
  const inside = (script: string) => done('container', 'exec', name, '--', 'sh', '-c', script);
  const nodes =
    'find / -xdev -type f -perm /111 -name "node*" ! -path "/proc/*"; command -v node; true';
  assert.equal(await inside(nodes), '');
  assert.equal(await inside('chmod 755 /usr/local/bin/coi && coi version'), versionText);
  // It also contains its assets: without its table of checks and files it could report nothing about this host.
  assert.match(await inside('coi health; coi tool spec claude | head -c 1'), /Operating system/);
});

test('the binary runs a command in a session with a coid that it started', {
  timeout,
}, async () => {
  const status = await bed.coid.status();
  const { stdout: program } = await mustRun(['readlink', `/proc/${status?.pid}/exe`]);
  assert.equal(program.trim(), binary);
  const result = await bed.coi(['run', '--image', bed.image, '--', 'sh', '-c', 'id -un; pwd']);
  assert.equal(result.stdout, 'code\n/workspace\n', result.stderr);
});

test('the binary loads its native module from a temporary path that it removes', async () => {
  const { stdout } = await runCommand(['sh', '-c', 'ls -d /tmp/coi-native-* 2>/dev/null; true']);
  assert.equal(stdout, '');
});

test('the binary obeys no Node flag in its command line, nor a file that such a flag names', async () => {
  const at = (name: string) => join(directory, name);
  await writeFile(at('evil.cjs'), `require('node:fs').writeFileSync('${at('ran')}', '')`);
  await writeFile(at('.env'), `NODE_OPTIONS="--require ${at('evil.cjs')}"\nWORD=x\n`);
  const env = { PATH: process.env['PATH'] ?? '', HOME: directory, INCUS_SOCKET: '/nonexistent' };
  await runCommand([binary, 'run', '--env-file', '.env', '--', 'true'], { cwd: directory, env });
  await assert.rejects(access(at('ran')), { code: 'ENOENT' });
  // Control: Node itself does.
  const node = [process.execPath, '--env-file', '.env', '-e', '0'];
  await runCommand(node, { cwd: directory, env });
  await access(at('ran'));
});
