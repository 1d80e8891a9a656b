// Lines that show the questions of an agent in full. Pure.
import type { Ask } from '../../../attention/activity.ts';
import { callOf } from '../../../attention/answers/choice.ts';
import { oneLine } from '../../../printable.ts';

export function askLines(ask: Ask): readonly string[] {
  const { kind, title, body, truncated, options, multiple, subAgent } = ask;
  const notes = [
    kind,
    ...(multiple === true ? ['several may be chosen'] : []),
    ...(subAgent === true ? ['of a sub-agent'] : []),
  ];
  return [
    `${oneLine(title)} (${notes.join(', ')})`,
    ...(body ?? '').split('\n').flatMap((line) => (line === '' ? [] : [`  ${oneLine(line)}`])),
    ...(truncated === true ? ['  …'] : []),
    ...options.map(({ id, label, note }) =>
      oneLine(
        `  ${id}${label === id ? '' : `  ${label}`}${note === undefined ? '' : `  (${note})`}`,
      ),
    ),
  ];
}

/** How to answer the questions of one call. The ids are of the container: only harmless ones are part of a command. */
export function answerCommand(called: string, asks: readonly Ask[]): string {
  const id = callOf(asks[0]?.id ?? '');
  const words = asks.map(({ options }) => options[0]?.id ?? 'yes');
  const isDialog = asks.some(({ kind }) => kind === 'dialog');
  return !isDialog && [id, ...words].every((word) => harmless.test(word))
    ? `coi answer ${called} --ask ${id} ${words.join(' ')}`
    : `coi attach ${called}`;
}

const harmless = /^[A-Za-z0-9][\w.:-]*$/;
