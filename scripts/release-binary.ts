// `npm run release:binary`: coi as one executable file that needs no Node, release/coi-linux-ARCH: Node's binary with
// the program and its files inside (a single executable application). `-- --arch arm64` selects the architecture,
// `-- --out FILE` the path. Built on a machine of the same architecture it also contains compiled code, which starts
// faster.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import {
  type Arch,
  koffiNative,
  koffiShipped,
  lazyBuiltins,
  licences,
  packageFile,
  shared,
} from './bundle.ts';
import { root } from './run.ts';

/** Where Node looks for the program (nodejs.org/api/single-executable-applications.html). */
const resource = 'NODE_SEA_BLOB';
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const { values } = parseArgs({
  options: { arch: { type: 'string', default: process.arch }, out: { type: 'string' } },
});
if (values.arch !== 'x64' && values.arch !== 'arm64') {
  process.stderr.write('--arch must be x64 or arm64.\n');
  process.exit(2);
}
const arch: Arch = values.arch;
const out = resolve(values.out ?? join(root, `release/coi-linux-${arch}`));
const work = mkdtempSync(join(tmpdir(), 'coi-release-'));
try {
  await make();
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function make(): Promise<void> {
  const { metafile } = await build({
    ...shared,
    outfile: join(work, 'main.js'),
    entryPoints: ['src/main.ts'],
    plugins: [lazyBuiltins, koffiShipped],
    metafile: true,
  });
  const guest = guestAssets();
  const assets = { ...guest, ...ownAssets(licences([metafile]), Object.values(guest)) };
  const config = {
    main: join(work, 'main.js'),
    output: join(work, 'blob'),
    disableExperimentalSEAWarning: true,
    // Node must not interpret coi's command line.
    execArgvExtension: 'none',
    useCodeCache: arch === process.arch,
    assets,
  };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config));
  execFileSync(process.execPath, ['--experimental-sea-config', join(work, 'sea.json')]);
  // Built elsewhere and moved into place, since a running executable cannot be written.
  const staged = join(work, basename(out));
  writeFileSync(staged, packageFile(`node-linux-${arch}`, 'bin/node'));
  const argv = [staged, resource, config.output, '--sentinel-fuse', fuse];
  execFileSync(process.execPath, [join(root, 'node_modules/postject/dist/cli.js'), ...argv], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  chmodSync(staged, 0o755);
  mkdirSync(dirname(out), { recursive: true });
  execFileSync('mv', ['-f', staged, out]);
  process.stderr.write(`${relative(process.cwd(), out)} is coi for linux-${arch}\n`);
}

/** The guest's files, as dist/guest has them, and the list of their paths. */
function guestAssets(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of ['image', 'session']) {
    const directory = join(root, `src/${part}/guest`);
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) found[relative(directory, path)] = path;
    }
  }
  const list = writeWorkFile('files.json', JSON.stringify(Object.keys(found).sort()));
  const assets = Object.entries(found).map(([path, file]) => [`guest/${path}`, file]);
  return { 'files.json': list, ...Object.fromEntries(assets) };
}

/** The build id (by which `coi setup` installs), the native file, the licences. */
function ownAssets(texts: string, guest: readonly string[]): Record<string, string> {
  const native = `koffi-${arch}.node`;
  const nativeFile = writeWorkFile(native, koffiNative(arch));
  const made = {
    [native]: nativeFile,
    'LICENCES.txt': writeWorkFile('LICENCES.txt', texts),
    'coi.1': join(root, 'man/coi.1'),
  };
  // Includes the guest's files, since images are built with them.
  const hash = createHash('sha256');
  for (const file of [join(work, 'main.js'), nativeFile, made['coi.1'], ...guest])
    hash.update(createHash('sha256').update(readFileSync(file)).digest());
  return { ...made, 'build-id': writeWorkFile('build-id', hash.digest('hex')) };
}

function writeWorkFile(name: string, content: string | Buffer): string {
  writeFileSync(join(work, name), content);
  return join(work, name);
}
