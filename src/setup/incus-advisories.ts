// Which versions of Incus have which security fixes: a dated table, maintained by hand. Pure.
// Sources: the changelogs of Debian's packages 6.0.4-2+deb13u12 and 7.0.2-3, which name the advisories that each
// version fixes and the upstream releases that include the fixes; upstream's version bounds are from the source in each
// row. Left out, because no source names upstream's version: CVE-2026-34178 and -34179 (6.0.4-2+deb13u6),
// CVE-2026-33945, and four fixes of July 2026 without a CVE number.
import { compareDebianVersions, withoutBackport } from './debian-version.ts';

export const tableDate = '2026-11-30';

export interface SecurityUpdate {
  /** Publication date. */
  readonly date: string;
  /** What the worst of the vulnerabilities allows. */
  readonly about: string;
  /** As the advisory rates it. */
  readonly critical: boolean;
  /** https://github.com/lxc/incus/security/advisories/<id> */
  readonly advisories: readonly string[];
  /** Source for upstream's fixed releases: a CVE record, or the pull request. */
  readonly source: string;
  /** The first monthly release with the fixes. */
  readonly release: string;
  /**
   * For the long-term branches: the first release with the fixes, or `after` the last one known to lack them.
   * Undefined: unknown.
   */
  readonly lts?: Readonly<Partial<Record<'6.0' | '7.0', string | { readonly after: string }>>>;
  /** Debian's fixed packages of 6.0.4 and of 7.0; undefined if they were never vulnerable. */
  readonly debian?: Readonly<Partial<Record<'6.0' | '7.0', string>>>;
}

/** Oldest first. */
export const securityUpdates: readonly SecurityUpdate[] = [
  {
    date: '2025-11-10',
    about: 'root in a container with a shifted volume becomes root on the host',
    critical: false,
    advisories: ['GHSA-56mx-8g9f-5crf'],
    source: 'CVE-2025-64507',
    release: '6.19.0',
    lts: { '6.0': '6.0.6' },
    debian: { '6.0': '6.0.4-2+deb13u2' },
  },
  {
    date: '2026-01-22',
    about: 'an image reads and writes any file of the host',
    critical: false,
    advisories: ['GHSA-x6jc-phwx-hp32', 'GHSA-7f67-crqm-jgh7'],
    source: 'CVE-2026-23954',
    release: '6.21.0',
    lts: { '6.0': '6.0.6' },
    debian: { '6.0': '6.0.4-2+deb13u4' },
  },
  {
    date: '2026-03-24',
    about: 'a template reads and writes any file of the host',
    critical: true,
    advisories: [
      'GHSA-83xr-5xxr-mh92',
      'GHSA-4rmf-rcp8-2r9g',
      'GHSA-p8mm-23gg-jc9r',
      'GHSA-vg76-xmhg-j5x3',
    ],
    source: 'CVE-2026-33897',
    release: '6.23.0',
    lts: { '6.0': { after: '6.0.6' } },
    debian: { '6.0': '6.0.4-2+deb13u5' },
  },
  {
    date: '2026-05-01',
    about: 'findings of an audit, such as imports that end the daemon',
    critical: false,
    advisories: [
      'GHSA-8gw4-p4wq-4hcv',
      'GHSA-gc7j-g665-rxr9',
      'GHSA-r7w7-mmxr-47r9',
      'GHSA-c839-4qxr-j4x3',
      'GHSA-4m88-wxj4-9qj6',
      'GHSA-fwj8-62r8-8p8m',
      'GHSA-67wx-r9xr-x75x',
      'GHSA-x5r6-jr56-89pv',
      'GHSA-98vh-x9cx-9cfp',
    ],
    source: 'CVE-2026-40251',
    release: '7.0.0',
    lts: { '6.0': { after: '6.0.6' }, '7.0': '7.0.0' },
    debian: { '6.0': '6.0.4-2+deb13u7', '7.0': '7.0.0-1' },
  },
  {
    date: '2026-05-28',
    about: 'an upload to a storage bucket writes any file of the host',
    critical: true,
    advisories: [
      'GHSA-ccjc-4qc3-jxqc',
      'GHSA-8g7m-96c8-8wwc',
      'GHSA-4xg6-52mh-fpw8',
      'GHSA-xhqx-mgh3-3h7q',
    ],
    source: 'CVE-2026-48753',
    release: '7.1.0',
    lts: { '7.0': '7.0.1' },
    debian: { '7.0': '7.0.0-2' },
  },
  {
    date: '2026-06-25',
    about: 'an image, or its server, writes any file of the host and becomes root there',
    critical: true,
    advisories: [
      'GHSA-2q3f-q5pq-g8wv',
      'GHSA-73hr-m85f-64v9',
      'GHSA-48q5-w887-33wv',
      'GHSA-vxp5-584q-c479',
      'GHSA-v6mj-8pf4-hhw4',
      'GHSA-f6m5-xw2g-xc4x',
      'GHSA-64f3-v33m-w89f',
      'GHSA-c9f5-j9c3-mhrg',
    ],
    source: 'CVE-2026-48749',
    release: '7.2.0',
    lts: { '6.0': { after: '6.0.6' }, '7.0': '7.0.1' },
    debian: { '6.0': '6.0.4-2+deb13u8', '7.0': '7.0.0-4' },
  },
  {
    date: '2026-07-30',
    about: 'an image reads and writes any file of the host and becomes root there',
    critical: true,
    advisories: [
      'GHSA-6rqx-22hc-qm36',
      'GHSA-fmjx-5j3g-997p',
      'GHSA-qw5c-v953-38gw',
      'GHSA-mq9x-prm8-3vpw',
      'GHSA-q7xw-r4w2-2wcm',
      'GHSA-53cg-qvg7-m8vg',
      'GHSA-p2v3-6wvc-cv3p',
      'GHSA-67qw-68v3-36h6',
      'GHSA-26gp-p5fw-3r2h',
      'GHSA-4qxq-p5hm-3q3p',
      'GHSA-m3j6-p3v3-qmjv',
    ],
    source: 'CVE-2026-63343',
    release: '7.3.0',
    lts: { '6.0': { after: '6.0.6' }, '7.0': '7.0.2' },
    debian: { '6.0': '6.0.4-2+deb13u9', '7.0': '7.0.1-2' },
  },
  {
    date: '2026-08-27',
    about: 'a path that escapes its directory',
    critical: false,
    advisories: ['GHSA-9pqw-c7m4-xvg7', 'GHSA-c6wx-8679-hpr9'],
    source: 'https://github.com/lxc/incus/pull/3916',
    release: '7.4.0',
    lts: { '6.0': { after: '6.0.6' }, '7.0': '7.0.2' },
    debian: { '6.0': '6.0.4-2+deb13u10', '7.0': '7.0.1-3' },
  },
  {
    date: '2026-09-25',
    about: 'a backup or a file that is pulled writes files of the host',
    critical: false,
    advisories: [
      'GHSA-h85r-gjgx-g2rv',
      'GHSA-27q7-qwhm-c34p',
      'GHSA-4cph-ccqv-hm3c',
      'GHSA-579w-c4rw-c8q3',
      'GHSA-x8gj-2q73-qr6j',
      'GHSA-jh4v-j34r-2mgh',
      'GHSA-mfwv-x733-9446',
    ],
    source: 'CVE-2026-115378',
    release: '7.5.0',
    lts: { '6.0': '6.0.7', '7.0': '7.0.2' },
    debian: { '6.0': '6.0.4-2+deb13u11', '7.0': '7.0.1-5' },
  },
  {
    date: '2026-10-29',
    about: 'an image sets options of its container and becomes root on the host',
    critical: false,
    advisories: [
      'GHSA-5pgx-q9xx-j3qv',
      'GHSA-jcw9-v2ff-8m79',
      'GHSA-xg75-xf37-cph9',
      'GHSA-p45f-gqqj-6qq3',
      'GHSA-cwg9-8mc4-hf7j',
      'GHSA-5c64-j5m6-8433',
      'GHSA-9c46-v3hw-v6m8',
      'GHSA-h2j8-4crh-vhfc',
      'GHSA-8r3h-vc36-6xpx',
      'GHSA-x6pw-mh5w-pq73',
      'GHSA-pf5w-m8m6-5265',
      'GHSA-f7xp-22ph-v444',
      'GHSA-9f75-5fjw-5jvv',
    ],
    source: 'CVE-2026-130786',
    release: '7.6.0',
    lts: { '6.0': { after: '6.0.7' }, '7.0': { after: '7.0.2' } },
    debian: { '6.0': '6.0.4-2+deb13u12', '7.0': '7.0.2-3' },
  },
];

/** The updates that a server lacks. `debian`: the version of its package, if it is Debian's own. */
export function missingUpdates(
  version: string,
  debian: string | undefined,
): readonly SecurityUpdate[] {
  return securityUpdates.filter((update) =>
    debian === undefined ? lacks(version, update) : lacksInDebian(debian, update),
  );
}

/**
 * The version, if the package is Debian's own: 6.0.4 in Debian 13, and 7.0 in the next release. Undefined for others;
 * distributions that modify Debian's packages append to the revision.
 */
export function debianPackage(version: string | undefined): string | undefined {
  if (version === undefined) return undefined;
  return /^(?:6\.0\.4-2\+deb13u\d+|7\.\d+\.\d+-\d+)(?:\+b\d+)?(?:~bpo\d+\+\d+)?$/.test(version)
    ? version
    : undefined;
}

function lacksInDebian(version: string, update: SecurityUpdate): boolean {
  const { debian } = update;
  const upstream = version.replace(/-.*$/, '');
  const branch = branchOf(upstream);
  // A monthly release in Debian has only upstream's fixes.
  if (branch === undefined) return lacks(upstream, update);
  const bound = debian?.[branch];
  return bound !== undefined && compareDebianVersions(withoutBackport(version), bound) < 0;
}

function lacks(version: string, { release, lts }: SecurityUpdate): boolean {
  const branch = branchOf(version);
  // The first release of a branch has the fixes of the monthly releases before it.
  if (branch === undefined || !isOlder(`${branch}.0`, release)) return isOlder(version, release);
  const bound = lts?.[branch];
  if (bound === undefined) return false;
  return typeof bound === 'string' ? isOlder(version, bound) : !isOlder(bound.after, version);
}

function branchOf(version: string): '6.0' | '7.0' | undefined {
  const [, branch] = /^(6\.0|7\.0)(?:\.|$)/.exec(version) ?? [];
  return branch as '6.0' | '7.0' | undefined;
}

function isOlder(version: string, than: string): boolean {
  return compareDebianVersions(numbers(version), numbers(than)) < 0;
}

/** `6.21` is the same as `6.21.0`. */
function numbers(version: string): string {
  const [major = '0', minor = '0', patch = '0'] = /^[\d.]*/.exec(version)?.[0].split('.') ?? [];
  return `${major}.${minor}.${patch || '0'}`;
}
