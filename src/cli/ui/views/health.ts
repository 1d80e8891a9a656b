// The report of `coi health`, in the predecessor's format. Pure.
import { pluralize } from '../../../pluralize.ts';
import type { Finding, Group, Status } from '../../../setup/check.ts';
import type { CheckResult, Verdict } from '../../../setup/report.ts';
import type { Style } from '../style.ts';

export interface HealthReport {
  readonly verdict: Verdict;
  readonly at: Date;
  readonly groups: readonly Group[];
  readonly results: readonly CheckResult[];
}

const marks: Readonly<Record<Status, string>> = { ok: '[OK]', warning: '[WARN]', failed: '[FAIL]' };

/** Lines grouped by heading, with hints below warnings and failures, and details if `verbose`. */
export function healthText(
  { verdict, groups, results }: HealthReport,
  style: Style,
  verbose: boolean,
): string[] {
  const width = Math.max(...results.map(({ check }) => check.title.length));
  const lines = groups.flatMap((group) => {
    const members = results.filter(({ check }) => check.group === group);
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
        ...[...remedies(finding), ...more].map((line) => style.dim(`         ${line}`)),
      ];
    });
    return [style.bold(group), ...shown, ''];
  });
  return [
    ...lines,
    `STATUS: ${coloured(worst(verdict), verdict.toUpperCase(), style)}`,
    summaryText(results),
  ];
}

/** The predecessor's JSON keys, plus `hint` and `title`. */
export function healthJson({ verdict, at, results }: HealthReport): unknown {
  const counts = count(results);
  return {
    status: verdict,
    timestamp: at.toISOString(),
    checks: Object.fromEntries(
      results.map(({ check, finding }) => [
        check.id,
        {
          name: check.id,
          title: check.title,
          group: check.group,
          status: finding.status,
          message: finding.message,
          details: finding.details ?? {},
          ...(remedies(finding)[0] === undefined ? {} : { hint: remedies(finding)[0] }),
        },
      ]),
    ),
    summary: {
      total: results.length,
      passed: counts.ok,
      warnings: counts.warning,
      failed: counts.failed,
    },
  };
}

export function summaryText(results: readonly CheckResult[]): string {
  const { ok, warning, failed } = count(results);
  if (failed > 0) return `${failed} of ${results.length} checks failed`;
  return warning > 0
    ? `${ok} checks passed with ${pluralize(warning, 'warning')}`
    : `All ${ok} checks passed`;
}

/** How to fix it: by setup if possible, else by hand. */
export function remedies({ plan, hint }: Finding): string[] {
  if (plan !== undefined) return [`\`sudo coi setup\` would ${plan}`];
  return hint === undefined ? [] : [hint];
}

function count(results: readonly CheckResult[]): Record<Status, number> {
  const of = (status: Status) => results.filter(({ finding }) => finding.status === status).length;
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
