// How the program is bundled: the parts that dist/ and the single executable share.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { root } from './run.ts';

/** Builtins that every Node program has loaded anyway. */
const preloaded = new Set(['process', 'events', 'path', 'fs', 'url', 'buffer']);

/**
 * An ESM import of a builtin reads every one of its exports, and some of those load half of Node: `node:http` cost
 * 60 ms, `node:process`, `node:crypto` and `node:child_process` 10 ms each at every start. In the bundle a builtin
 * is an object whose prototype loads it when the first of its exports is used.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[a-z_]+(:|\/|$)/ }, ({ path }) =>
      isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const load = `process.getBuiltinModule(${JSON.stringify(path)})`;
      const lazy = `Object.create(new Proxy({}, { get: (_, key) => key === '__esModule' ? undefined : ${load}[key] }))`;
      return {
        contents: `module.exports = ${preloaded.has(path.replace('node:', '')) ? load : lazy};`,
      };
    });
  },
};

/** koffi looks for its native file in packages; the bundle contains the file instead. */
export const koffiShipped: Plugin = {
  name: 'koffi-shipped',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^koffi$/ }, () => ({ path: join(root, 'scripts/koffi-loader.cjs') }));
  },
};

/** One file, because Node needs a millisecond to load each; CommonJS, because it loads faster. */
export const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  external: ['bufferutil', 'utf-8-validate'],
  supported: { 'dynamic-import': false },
  define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__importMetaUrl' },
  banner: { js: "const __importMetaUrl='file://'+encodeURI(__filename);" },
  logLevel: 'warning',
};

export type Arch = 'x64' | 'arm64';

interface Locked {
  readonly version: string;
  readonly integrity: string;
}

/** Reads a file of a package: from node_modules, or else downloaded by npm in the version of package-lock.json. */
export function packageFile(name: string, path: string): Buffer {
  const installed = join(root, 'node_modules', name, path);
  if (existsSync(installed)) return readFileSync(installed);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const locked = Object.entries(lock.packages).find(([key]) =>
    key.endsWith(`node_modules/${name}`),
  );
  if (!locked) throw new Error(`package-lock.json does not name ${name}`);
  const [, { version, integrity }] = locked;
  const directory = mkdtempSync(join(tmpdir(), 'coi-fetch-'));
  try {
    const argv = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory];
    const printed = execFileSync('npm', [...argv, `${name}@${version}`], {
      cwd: directory,
      encoding: 'utf8',
      // npm passes its options to scripts; those of an outer `npm pack` must not apply here.
      env: Object.fromEntries(
        Object.entries(process.env).filter(
          ([key]) => !/^npm_config_(dry_run|json|pack_)/.test(key),
        ),
      ),
    });
    const archive = join(directory, printed.trim().split('\n').at(-1) ?? '');
    const [algorithm = '', wanted] = integrity.split(/-(.*)/s);
    const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
    if (found !== wanted) throw new Error(`${name}@${version} does not match package-lock.json`);
    execFileSync('tar', ['-xzf', archive, '-C', directory, `package/${path}`]);
    return readFileSync(join(directory, 'package', path));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const koffiNative = (arch: Arch): Buffer =>
  packageFile(`@koromix/koffi-linux-${arch}`, `linux_${arch}/koffi.node`);

/** The licences of the third-party code in the bundles. */
export function licences(metafiles: readonly { inputs: Record<string, unknown> }[]): string {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const names = inputs.flatMap(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  );
  const texts = [...new Set([...names, 'koffi'])].sort().map((name) => {
    const directory = join(root, 'node_modules', name);
    const file = ['LICENSE', 'LICENSE.txt', 'LICENSE.md', 'LICENCE', 'license'].find((one) =>
      existsSync(join(directory, one)),
    );
    const { version, license } = JSON.parse(
      readFileSync(join(directory, 'package.json'), 'utf8'),
    ) as { version: string; license: string };
    const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return texts.join(`\n${'-'.repeat(72)}\n\n`);
}
