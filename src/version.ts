// The version of this program; scripts/build.ts takes it from package.json.
import manifest from '../package.json' with { type: 'json' };

export const version: string = manifest.version;
/** Where this program is looked after, as the manifest says; undefined while it has no public address. */
export const projectUrl: string | undefined = addressIn(manifest as Addresses);
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

interface Addresses {
  readonly homepage?: string;
  readonly repository?: string | { readonly url?: string };
}

/** The address for people in a package.json: its homepage, else its repository as a page. */
export function addressIn({ homepage, repository }: Addresses): string | undefined {
  const url = homepage ?? (typeof repository === 'string' ? repository : repository?.url);
  const page = url?.replace(/^git\+/, '').replace(/\.git$/, '');
  return page !== undefined && /^https:\/\//.test(page) ? page : undefined;
}

export function summaryLine(version: string): string {
  return `code-on-incus (coi) v${version}`;
}
