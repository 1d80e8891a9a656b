// Bundles the program and the library into dist/: an entry, one file each, koffi's native file and the guest's scripts.
// `--release` adds what other architectures and programs need: all native files, and the types of the library.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { commonCommands } from '../src/cli/common-commands.ts';
import { launcherLines } from '../src/host/process/command-line.ts';
import { type Arch, koffiNative, koffiShipped, lazyBuiltins, licences, shared } from './bundle.ts';
import { root } from './run.ts';

const release = process.argv.includes('--release');
/** Built in another directory and moved into place, so that a starting coi never sees half a bundle. */
const staging = join(root, `dist.${process.pid}`);
rmSync(staging, { recursive: true, force: true });
mkdirSync(staging);
process.on('exit', () => rmSync(staging, { recursive: true, force: true }));

/** The entry is a separate file: it enables the compile cache before the program is compiled. */
const entryOnly: Plugin = {
  name: 'entry-only',
  setup: ({ onResolve }) => {
    onResolve(
      { filter: /^\.\/cli\/(?:program|common-program|completion-entry)\.ts$/ },
      ({ path }) => ({
        path: `./${basename(path, '.ts')}.js`,
        external: true,
      }),
    );
  },
};

/** The MCP server is a separate file: its library would make the start of other commands slower. */
const mcpApart: Plugin = {
  name: 'mcp-apart',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/mcp\/server\.ts$/ }, () => ({
      path: './mcp-server.js',
      external: true,
    }));
  },
};

/** A bundle with only these commands: the command tree loads the others from the full program (src/main.ts). */
const commandsOnly = (words: readonly string[]): Plugin => ({
  name: 'commands-only',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\// }, ({ importer, kind, path }) => {
      const isCommand =
        /\/(?:command-tree|agent-commands|internal-commands)\.ts$/.test(importer) ||
        path === './flags.ts';
      return kind === 'dynamic-import' && isCommand && !words.includes(basename(path, '.ts'))
        ? { path: './program.js', external: true }
        : undefined;
    });
  },
});

/**
 * Where npm installs the package's own Node: below the package, or next to it. There must be no star before a slash,
 * which would end the launcher's comment.
 */
const ownNodes = ['x64', 'arm64'].flatMap((arch) =>
  ['/node_modules', '/..'].map((parent) => `"$coi_top${parent}/node-linux-${arch}/bin/node"`),
);

/** sh reads the lines up to `exit`, JavaScript a string and a comment. */
const launcher = `#!/bin/sh
':' /*
${launcherLines}
coi_self=$0
if [ -L "$0" ] || [ "\${0#/}" = "$0" ]; then coi_self=$(readlink -f -- "$0"); fi
coi_top=\${coi_self%/dist/main.js}
for coi_node in ${ownNodes.join(' ')}; do
if [ -x "$coi_node" ]; then exec "$coi_node" "$coi_self"; fi
done
if command -v node >/dev/null; then exec node "$coi_self"; fi
echo "Error: coi's own Node is not installed, and there is no other" >&2
echo 'Hint: install coi again where npm reaches its registry, or install Node 24 or newer.' >&2
exit 1
*/`;

const plugins = [lazyBuiltins, koffiShipped];
const made = await Promise.all([
  build({
    ...shared,
    outdir: staging,
    entryPoints: [
      { in: 'src/cli/program.ts', out: 'program' },
      { in: 'src/index.ts', out: 'index' },
    ],
    plugins: [mcpApart, ...plugins],
  }),
  build({
    ...shared,
    outdir: staging,
    entryPoints: [{ in: 'src/mcp/server.ts', out: 'mcp-server' }],
    plugins,
  }),
  build({
    ...shared,
    outdir: staging,
    entryPoints: ['src/cli/completion-entry.ts'],
    plugins: [commandsOnly([]), ...plugins],
  }),
  build({
    ...shared,
    outdir: staging,
    entryPoints: ['src/cli/common-program.ts'],
    plugins: [commandsOnly(commonCommands), ...plugins],
  }),
  build({
    ...shared,
    outdir: staging,
    entryPoints: ['src/main.ts'],
    plugins: [entryOnly, ...plugins],
    banner: { js: `${launcher}\n${shared.banner?.['js']}` },
  }),
]);
chmodSync(join(staging, 'main.js'), 0o755);
// The repository uses ES modules, the bundle CommonJS.
writeFileSync(join(staging, 'package.json'), '{"type":"commonjs"}\n');
writeFileSync(
  join(staging, 'LICENCES.txt'),
  licences(made.flatMap(({ metafile = [] }) => metafile)),
);
for (const part of ['image', 'session'])
  cpSync(join(root, `src/${part}/guest`), join(staging, 'guest'), { recursive: true });
cpSync(join(root, 'man'), join(staging, 'man'), { recursive: true });
mkdirSync(join(staging, 'native'));
const architectures: Arch[] = release ? ['x64', 'arm64'] : [process.arch as Arch];
for (const arch of architectures)
  writeFileSync(join(staging, `native/koffi-${arch}.node`), koffiNative(arch));
if (release) writeTypes();

const dist = join(root, 'dist');
const old = `${staging}.old`;
try {
  renameSync(dist, old);
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
renameSync(staging, dist);
rmSync(old, { recursive: true, force: true });

/** Only the files that the library's signatures refer to: they import nothing else. */
function writeTypes(): void {
  const to = join(staging, 'declarations');
  const argv = ['-p', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly'];
  execFileSync(
    process.execPath,
    ['node_modules/.bin/tsc', ...argv, '--rewriteRelativeImportExtensions', '--outDir', to],
    { cwd: root, stdio: 'inherit' },
  );
  for (const name of ['index', 'library-types', 'errors']) {
    const text = readFileSync(join(to, `src/${name}.d.ts`), 'utf8');
    writeFileSync(
      join(staging, `${name}.d.ts`),
      text.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"),
    );
  }
  rmSync(to, { recursive: true });
}
