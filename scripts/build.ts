// Bundles src/main.ts into dist/: one entry, lazily loaded chunks, koffi left outside (native).
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Built beside and moved into place, so that a coi that starts meanwhile never sees half a bundle. */
const staging = join(root, `dist.${process.pid}`);
rmSync(staging, { recursive: true, force: true });
mkdirSync(staging);
process.on('exit', () => rmSync(staging, { recursive: true, force: true }));
await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts' },
  outdir: staging,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  keepNames: true,
  sourcemap: false,
  legalComments: 'none',
  // koffi loads a native file by its own path; only coid needs it.
  external: ['koffi', 'bufferutil', 'utf-8-validate'],
  chunkNames: 'chunks/[name]-[hash]',
  // Bundled CommonJS packages call require for node: builtins.
  banner: {
    js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
  },
  loader: { '.sh': 'text', '.conf': 'text', '.service': 'text' },
  logLevel: 'warning',
});
for (const part of ['image', 'session'])
  cpSync(join(root, `src/${part}/guest`), join(staging, 'guest'), { recursive: true });
const dist = join(root, 'dist');
const old = `${staging}.old`;
try {
  renameSync(dist, old);
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
renameSync(staging, dist);
rmSync(old, { recursive: true, force: true });
