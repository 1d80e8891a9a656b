// Values of a project's file that wait for the user's approval, as they are told. Pure.
import type { ResolvedConfig, Waiting } from '../resolved-config.ts';

/** File, line, profile and value: what somebody reads who has to decide about it. */
export function waitingText({ source, line, profile, text }: Waiting): string {
  return `${source}:${line}: ${ofProfile(profile)}${text}`;
}

export function ofProfile(name: string | undefined): string {
  return name === undefined ? '' : `profile ${name}: `;
}

export function waitingLine(waiting: Waiting): string {
  return `${waitingText(waiting)} is not in force until you approve it with \`coi trust\``;
}

/** From that many on a file's are told in one line. */
const manyWaiting = 3;
const namedMax = 4;
const othersMax = 6;

/** The warnings for a person: many of the same kind in one line each. */
export function groupedWarnings({
  warnings,
  waiting,
}: Pick<ResolvedConfig, 'warnings' | 'waiting'>): string[] {
  const told = new Set(waiting.map(waitingLine));
  const others = warnings.filter((warning) => !told.has(warning));
  const held = [...Map.groupBy(waiting, ({ source }) => source)].flatMap(([source, those]) => {
    if (those.length < manyWaiting) return those.map(waitingLine);
    const names = [...new Set(those.map(({ text }) => text.split(' = ', 1)[0] ?? text))];
    const more = names.length > namedMax ? `, and ${names.length - namedMax} more` : '';
    return [
      `${source}: ${ofProfile(those[0]?.profile)}${those.length} settings are not in force until you approve them with \`coi trust\`: ${names.slice(0, namedMax).join(', ')}${more}`,
    ];
  });
  const shown = others.length > othersMax ? others.slice(0, othersMax - 1) : others;
  const left = others.length - shown.length;
  return [...held, ...shown, ...(left > 0 ? [`${left} more warnings; --verbose shows them`] : [])];
}
