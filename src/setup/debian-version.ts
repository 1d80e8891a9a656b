// Versions of Debian packages. Source: deb-version(7). Pure.

/** Negative if `a` is older, in the order of `dpkg --compare-versions`. */
export function compareDebianVersions(a: string, b: string): number {
  const [one, other] = [parts(a), parts(b)];
  return (
    one.epoch - other.epoch ||
    compareParts(one.upstream, other.upstream) ||
    compareParts(one.revision, other.revision)
  );
}

/** The version that a backport was made from, whose fixes it has. */
export function withoutBackport(version: string): string {
  return version.replace(/~bpo\d+\+\d+$/, '');
}

/** Version of an installed package in the text of /var/lib/dpkg/status. */
export function installedVersion(status: string, name: string): string | undefined {
  const from = status.startsWith(`Package: ${name}\n`)
    ? 0
    : status.indexOf(`\nPackage: ${name}\n`) + 1;
  if (from === 0 && !status.startsWith(`Package: ${name}\n`)) return undefined;
  const end = status.indexOf('\n\n', from);
  const entry = status.slice(from, end < 0 ? undefined : end);
  const isInstalled = /^Status: \S+ \S+ installed$/m.test(entry);
  return isInstalled ? /^Version: (\S+)$/m.exec(entry)?.[1] : undefined;
}

function parts(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  return dash < 0
    ? { epoch: Number(epoch), upstream: rest, revision: '' }
    : { epoch: Number(epoch), upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

/** Compares text and numbers alternately: text by letters, `~` before even the end, numbers by value. */
function compareParts(a: string, b: string): number {
  const [one, other] = [runs(a), runs(b)];
  for (let at = 0; at < Math.max(one.length, other.length); at += 1) {
    const [left = '', right = ''] = [one[at], other[at]];
    const found = at % 2 === 1 ? Number(left) - Number(right) : compareText(left, right);
    if (found !== 0) return found;
  }
  return 0;
}

/** Text at even indexes, numbers at odd ones. */
function runs(text: string): string[] {
  return text.split(/(\d+)/);
}

function compareText(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const found = weight(a[at]) - weight(b[at]);
    if (found !== 0) return found;
  }
  return 0;
}

function weight(letter: string | undefined): number {
  if (letter === undefined) return 0;
  if (letter === '~') return -1;
  const code = letter.charCodeAt(0);
  return /[A-Za-z]/.test(letter) ? code : code + 256;
}
