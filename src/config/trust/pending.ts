// Text for values of a project file that need the user's approval. Pure.
import type { PendingValue, ResolvedConfig } from '../resolved-config.ts';

/** File, line, profile and value. */
export function pendingText({ source, line, profile, text }: PendingValue): string {
  return `${source}:${line}: ${profilePrefix(profile)}${text}`;
}

export function profilePrefix(name: string | undefined): string {
  return name === undefined ? '' : `profile ${name}: `;
}

export function pendingWarning(waiting: PendingValue): string {
  return `${pendingText(waiting)} has no effect until you approve it with \`coi trust\``;
}

/** From this number on, a file's values are reported in one line. */
const groupFrom = 3;
const namedMax = 4;
const othersMax = 6;

/** The warnings to print, grouped by file. */
export function groupedWarnings({
  warnings,
  waiting,
}: Pick<ResolvedConfig, 'warnings' | 'waiting'>): string[] {
  const pending = new Set(waiting.map(pendingWarning));
  const others = warnings.filter((warning) => !pending.has(warning));
  const held = [...Map.groupBy(waiting, ({ source }) => source)].flatMap(([source, those]) => {
    if (those.length < groupFrom) return those.map(pendingWarning);
    const names = [...new Set(those.map(({ text }) => text.split(' = ', 1)[0] ?? text))];
    const more = names.length > namedMax ? `, and ${names.length - namedMax} more` : '';
    return [
      `${source}: ${profilePrefix(those[0]?.profile)}${those.length} settings have no effect until you approve them with \`coi trust\`: ${names.slice(0, namedMax).join(', ')}${more}`,
    ];
  });
  const shown = others.length > othersMax ? others.slice(0, othersMax - 1) : others;
  const left = others.length - shown.length;
  return [...held, ...shown, ...(left > 0 ? [`${left} more warnings; --verbose shows them`] : [])];
}
