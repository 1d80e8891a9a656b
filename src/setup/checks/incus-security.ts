// Whether Incus has the security fixes that were known when coi was released. For `coi health` only: setup does not
// upgrade.
import { pluralize } from '../../pluralize.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import { installedVersion } from '../debian-version.ts';
import { debianPackage, missingUpdates, securityUpdates, tableDate } from '../incus-advisories.ts';
import { withServer } from '../server.ts';

const packageNames = ['incus-base', 'incus'];

export const incusSecurity: Check = {
  id: 'incus_freshness',
  title: 'Incus security updates',
  group: 'CRITICAL',
  run: async (context) =>
    withServer(context, undefined, async (_, { environment }) => {
      const status = (await context.host.readText('/var/lib/dpkg/status')) ?? '';
      const [installed] = packageNames.flatMap((name) => installedVersion(status, name) ?? []);
      return securityFinding(environment.server_version, installed);
    }),
};

/** `installed`: version of the package, of any distribution; undefined if dpkg has none. */
export function securityFinding(version: string, installed: string | undefined): Finding {
  // A package of another version is not what runs.
  const named = installed?.replace(/^\d+:/, '').startsWith(version) ? installed : undefined;
  const debian = debianPackage(named);
  const missing = missingUpdates(version, debian);
  const details = {
    version,
    ...(named === undefined ? {} : { package: named }),
    table: tableDate,
    missing: missing.map(({ date, about, critical, advisories, release }) => {
      return { date, about, critical, advisories, release };
    }),
  };
  const shown = named === undefined ? version : `${version} (package ${named})`;
  const [first] = missing;
  if (!first) return ok(`${shown} has all fixes that were known on ${tableDate}`, details);
  const many = pluralize(missing.length, 'security update');
  const critical = missing.filter((update) => update.critical).length;
  const message = `${shown} lacks ${many}, the first of ${first.date}${critical > 0 ? `; ${critical} of them critical` : ''}`;
  const patched =
    named !== undefined && debian === undefined
      ? ' Its package may have some of them: see /usr/share/doc/incus-base/changelog.Debian.gz.'
      : '';
  return finding('warning', message, details, {
    hint: `${remedy(version, debian)} Until then, import no image that you did not build.${patched}`,
  });
}

function remedy(version: string, debian: string | undefined): string {
  const newest = securityUpdates.at(-1);
  const fixed = debian?.startsWith('6.0') ? newest?.debian?.['6.0'] : newest?.debian?.['7.0'];
  if (debian !== undefined)
    return `Upgrade the package incus-base: Debian has all of them in ${fixed} and newer (backports to older releases of Debian lag behind).`;
  const branch = /^(6\.0|7\.0)/.exec(version)?.[1] as '6.0' | '7.0' | undefined;
  const bound = branch === undefined ? undefined : newest?.lts?.[branch];
  const own = typeof bound === 'object' ? `, or a release of ${branch} after ${bound.after}` : '';
  return `Upgrade Incus: ${newest?.release} has all of them${own}.`;
}
