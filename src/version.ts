// The version of this program, which scripts/build.ts copies from package.json.
import manifest from '../package.json' with { type: 'json' };

export const version: string = manifest.version;
/** The address of the project in the manifest; undefined while there is no public one. */
export const projectUrl: string | undefined = projectAddress(manifest as Addresses);
/** Name of the published package; undefined in a development build. */
export const packageName: string | undefined =
  'private' in manifest && manifest.private ? undefined : (manifest as { name: string }).name;

/** Whether a release is newer than a version (`1.2.3-dev` comes before `1.2.3`). */
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

interface Addresses {
  readonly homepage?: string;
  readonly repository?: string | { readonly url?: string };
}

/** The web address in a package.json: its homepage, else its repository. */
export function projectAddress({ homepage, repository }: Addresses): string | undefined {
  const url = homepage ?? (typeof repository === 'string' ? repository : repository?.url);
  const page = url?.replace(/^git\+/, '').replace(/\.git$/, '');
  return page !== undefined && /^https:\/\//.test(page) ? page : undefined;
}

export function summaryLine(version: string): string {
  return `code-on-incus (coi) v${version}`;
}
