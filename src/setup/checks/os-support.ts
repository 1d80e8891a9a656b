// Age of the kernel, which all sessions share with the host, and support of the distribution.
import { pluralize } from '../../pluralize.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import type { HealthContext } from '../health-context.ts';
import { parseRelease } from '../os-release.ts';

const dayMs = 24 * 3_600_000;
const kernelDays = 180;
/** How early the end of support is reported. */
const noticeDays = 180;

/** End of the distribution's own security updates (not of its long-term or paid support). */
const supportEnds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  debian: { '11': '2024-08-14', '12': '2026-06-30', '13': '2028-06-30' },
  ubuntu: { '22.04': '2027-06-01', '24.04': '2029-05-31', '26.04': '2031-05-31' },
};

export const kernelBuildAge: Check<HealthContext> = {
  id: 'kernel_build_age',
  title: 'Kernel age',
  group: 'OPTIONAL',
  run: async ({ host, nowMs }) =>
    kernelAgeFinding((await host.readText('/proc/version')) ?? '', nowMs),
};

export const distributionSupport: Check<HealthContext> = {
  id: 'distro_eol',
  title: 'Distribution support',
  group: 'OPTIONAL',
  run: async ({ host, nowMs }) =>
    supportFinding((await host.readText('/etc/os-release')) ?? '', nowMs),
};

/** Judges /proc/version: Debian ends it with `(2026-01-31)`, others with `Sat Jan 31 12:00:00 UTC 2026`. */
export function kernelAgeFinding(version: string, nowMs: number): Finding {
  const iso = /\((\d{4}-\d\d-\d\d)\)\s*$/.exec(version)?.[1];
  const [, month, day, year] =
    /\b[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) \d\d:\d\d:\d\d \S+ (\d{4})\b/.exec(version) ?? [];
  const builtMs = Date.parse(iso ?? `${day} ${month} ${year} UTC`);
  if (Number.isNaN(builtMs)) return ok('unknown: the kernel has no build date');
  const days = Math.floor((nowMs - builtMs) / dayMs);
  const details = { built_at: new Date(builtMs).toISOString().slice(0, 10), age_days: days };
  const text = `built ${pluralize(days, 'day')} ago`;
  if (days <= kernelDays) return ok(text, details);
  return finding('warning', text, details, {
    hint: 'Update the kernel and reboot: sessions share it.',
  });
}

export function supportFinding(osRelease: string, nowMs: number): Finding {
  const { id, version, title } = parseRelease(osRelease);
  const number = /^VERSION_ID="?([^"\n]*)/m.exec(osRelease)?.[1] ?? String(version ?? '');
  const end = supportEnds[id]?.[number];
  if (end === undefined) return ok(`${title}: its end of support is unknown`);
  const details = { distro: id, version: number, eol: end };
  const leftDays = Math.floor((Date.parse(end) - nowMs) / dayMs);
  if (leftDays > noticeDays) return ok(`${title}, supported until ${end}`, details);
  const ended = leftDays < 0;
  return finding('warning', `${title}: support ${ended ? 'ended' : 'ends'} on ${end}`, details, {
    hint: ended
      ? 'Upgrade this host: it gets security fixes late or not at all.'
      : 'Plan to upgrade this host.',
  });
}
