// The report of `coi health`, as the predecessor showed it.
import { counted } from '../../../counted.ts';
import type { Finding, Group, Status } from '../../../setup/check.ts';
import type { Probed, Verdict } from '../../../setup/report.ts';
import type { Style } from '../style.ts';

export interface HealthReport {
  readonly verdict: Verdict;
  readonly at: Date;
  readonly groups: readonly Group[];
  readonly probed: readonly Probed[];
}

const marks: Readonly<Record<Status, string>> = { ok: '[OK]', warning: '[WARN]', failed: '[FAIL]' };

/** Lines by heading; hints under what is not well, details too when `verbose`. */
export function healthText(
  { verdict, groups, probed }: HealthReport,
  style: Style,
  verbose: boolean,
): string[] {
  const width = Math.max(...probed.map(({ check }) => check.title.length));
  const lines = groups.flatMap((group) => {
    const members = probed.filter(({ check }) => check.group === group);
    if (members.length === 0) return [];
    const shown = members.flatMap(({ check, finding }) => {
      const mark = coloured(finding.status, marks[finding.status].padEnd(6), style);
      const more = verbose
        ? Object.entries(finding.details ?? {}).map(
            ([name, value]) => `${name}=${JSON.stringify(value)}`,
          )
        : [];
      return [
        `  ${mark} ${check.title.padEnd(width)} : ${finding.message}`,
        ...[...answers(finding), ...more].map((line) => style.dim(`         ${line}`)),
      ];
    });
    return [style.bold(group), ...shown, ''];
  });
  return [
    ...lines,
    `STATUS: ${coloured(worst(verdict), verdict.toUpperCase(), style)}`,
    summaryText(probed),
  ];
}

/** The shape that programs read: predecessor's keys, and `hint` and `title` besides. */
export function healthJson({ verdict, at, probed }: HealthReport): unknown {
  const counts = count(probed);
  return {
    status: verdict,
    timestamp: at.toISOString(),
    checks: Object.fromEntries(
      probed.map(({ check, finding }) => [
        check.id,
        {
          name: check.id,
          title: check.title,
          group: check.group,
          status: finding.status,
          message: finding.message,
          details: finding.details ?? {},
          ...(answers(finding)[0] === undefined ? {} : { hint: answers(finding)[0] }),
        },
      ]),
    ),
    summary: {
      total: probed.length,
      passed: counts.ok,
      warnings: counts.warning,
      failed: counts.failed,
    },
  };
}

export function summaryText(probed: readonly Probed[]): string {
  const { ok, warning, failed } = count(probed);
  if (failed > 0) return `${failed} of ${probed.length} checks failed`;
  return warning > 0
    ? `${ok} checks passed with ${counted(warning, 'warning')}`
    : `All ${ok} checks passed`;
}

/** What to do about it: setup where it can, a person's way otherwise. */
export function answers({ plan, hint }: Finding): string[] {
  if (plan !== undefined) return [`\`sudo coi setup\` would ${plan}`];
  return hint === undefined ? [] : [hint];
}

function count(probed: readonly Probed[]): Record<Status, number> {
  const of = (status: Status) => probed.filter(({ finding }) => finding.status === status).length;
  return { ok: of('ok'), warning: of('warning'), failed: of('failed') };
}

function worst(verdict: Verdict): Status {
  return verdict === 'healthy' ? 'ok' : verdict === 'degraded' ? 'warning' : 'failed';
}

function coloured(status: Status, text: string, style: Style): string {
  return status === 'ok'
    ? style.green(text)
    : status === 'warning'
      ? style.yellow(text)
      : style.red(text);
}
