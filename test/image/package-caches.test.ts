// Goal: caches of package managers are in the container, not in the workspace.
// Method: every generation of pnpm, the only one that defaults to a store next to the project; the others were measured
// once (docs/decisions/0073).
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { testPrefix } from '../bed/prefix.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;
const timeout = 240_000;
const versions = ['8.15.9', '9.15.9', '10.34.9', '11.28.11'];

let tarballs: string;
before(
  async () => {
    tarballs = mkdtempSync(`/tmp/${testPrefix}-pnpm-`);
    const packages = versions.map((version) => `pnpm@${version}`);
    await mustRun(['npm', 'pack', '--silent', '--pack-destination', tarballs, ...packages], {
      limitMs: timeout,
    });
  },
  { timeout },
);
after(() => rmSync(tarballs, { recursive: true, force: true }));

/** The project needs one package, a tarball, since there is no registry. */
const inside = `
mkdir -p ~/thing/package && echo '{"name":"thing","version":"1.0.0"}' >~/thing/package/package.json
tar -C ~/thing -czf ~/thing.tgz package
echo '{"name":"project","dependencies":{"thing":"file:/home/code/thing.tgz"}}' >package.json
for version; do
  mkdir ~/pnpm-$version && tar -C ~/pnpm-$version -xzf pnpm-$version.tgz
  pnpm="node $(ls ~/pnpm-$version/package/bin/pnpm.[cm]js | head -1)"
  rm -rf node_modules pnpm-lock.yaml
  $pnpm install --offline --silent >&2
  echo "$version $? $($pnpm store path) $(ls -A | grep -v tgz | tr '\\n' ' ')"
done
echo "without coi: $(XDG_CONFIG_HOME=/nowhere $pnpm store path)"
`;

test('pnpm of every version keeps its store in the home and leaves the project unchanged', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  for (const name of readdirSync(tarballs))
    cpSync(join(tarballs, name), join(bed.workspace.path, name));
  const done = await bed.coi(
    ['run', '--image', image, '--', 'bash', '-c', inside, 'pnpm', ...versions],
    { limitMs: timeout },
  );
  const lines = done.stdout.trim().split('\n');
  assert.equal(lines.pop(), 'without coi: /workspace/.pnpm-store/v11', done.stderr);
  for (const [at, version] of versions.entries())
    assert.match(
      lines[at] ?? '',
      new RegExp(
        `^${version} 0 /home/code/\\.local/share/pnpm/store/v\\d+ node_modules package\\.json pnpm-lock\\.yaml $`,
      ),
      done.stderr,
    );
});
