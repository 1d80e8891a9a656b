// Bundles the program into dist/: an entry and one file, koffi left outside (native).

import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Built beside and moved into place, so that a coi that starts meanwhile never sees half a bundle. */
const staging = join(root, `dist.${process.pid}`);
rmSync(staging, { recursive: true, force: true });
mkdirSync(staging);
process.on('exit', () => rmSync(staging, { recursive: true, force: true }));
/** Builtins that every Node program has loaded anyway. */
const present = new Set(['process', 'events', 'path', 'fs', 'url', 'buffer']);

/**
 * An ESM import of a builtin reads every one of its exports, and some of those load half of Node: `node:http` cost
 * 60 ms, `node:process`, `node:crypto` and `node:child_process` 10 ms each at every start. In the bundle a builtin
 * is an object whose prototype loads it when the first of its exports is used.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[a-z_]+(:|\/|$)/ }, ({ path }) =>
      isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
      const lazy = `Object.create(new Proxy({}, { get: (_, key) => key === '__esModule' ? undefined : ${load}[key] }))`;
      return {
        contents: `module.exports = ${present.has(path.replace('node:', '')) ? load : lazy};`,
      };
    });
  },
};

/** The entry is a file of its own: it enables the compile cache before the program is compiled. */
const entryOnly: Plugin = {
  name: 'entry-only',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/cli\.ts$/ }, () => ({ path: './cli.js', external: true }));
  },
};

/** One file, because Node spends a millisecond on each that it loads; CommonJS, because it loads that quicker. */
const shared: BuildOptions = {
  absWorkingDir: root,
  outdir: staging,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  // koffi loads a native file by its own path; only coid needs it.
  external: ['koffi', 'bufferutil', 'utf-8-validate'],
  supported: { 'dynamic-import': false },
  define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__importMetaUrl' },
  banner: { js: "const __importMetaUrl='file://'+encodeURI(__filename);" },
  logLevel: 'warning',
};
await build({ ...shared, entryPoints: ['src/cli.ts'], plugins: [lazyBuiltins] });
await build({ ...shared, entryPoints: ['src/main.ts'], plugins: [entryOnly, lazyBuiltins] });
// The repository is of ES modules, the bundle is not.
writeFileSync(join(staging, 'package.json'), '{"type":"commonjs"}\n');
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
