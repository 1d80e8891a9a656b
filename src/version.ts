// The version of this program; scripts/build.ts takes it from package.json.
import manifest from '../package.json' with { type: 'json' };

export const version: string = manifest.version;
export const projectUrl = 'https://github.com/mensfeld/code-on-incus';
/** Name of the package whose releases are this program's; undefined in a development build. */
export const released: string | undefined =
  'private' in manifest && manifest.private ? undefined : (manifest as { name: string }).name;

/** Whether a release is newer than a version (`1.2.3`; `1.2.3-dev` comes before `1.2.3`). */
export function isNewer(release: string, than: string): boolean {
  const parts = (text: string) =>
    text.replace(/^v/, '').split('-', 1)[0]?.split('.').map(Number) ?? [];
  const [a, b] = [parts(release), parts(than)];
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return than.includes('-') && !release.includes('-');
}
