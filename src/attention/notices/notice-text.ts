// The text of notices. Pure. All of it may come from a container.
import { posix } from 'node:path';
import type { AskJson } from '../activity-text.ts';
import { cleanLine } from '../clean.ts';
import type { SessionState } from '../events/event.ts';
import type { Notice } from './notice-queue.ts';

/** How much a notice tells: only that there is something, what is asked, or with the command or the last words. */
export type NoticeBody = 'none' | 'title' | 'full';

export interface NoticeText {
  readonly title: string;
  /** May be empty. */
  readonly body: string;
}

const nameMax = 40;
const projectMax = 24;
const titleMax = 120;
const bodyMax = 300;

/** `redact`: takes secrets out of a text. */
export function noticeText(
  { kind, event }: Notice,
  level: NoticeBody,
  redact: (text: string) => string,
): NoticeText {
  const { attention } = event;
  const name = sessionName(event);
  const [first, ...more] = attention.asks;
  switch (kind) {
    case 'asks':
      return {
        title: `${name} ${first?.kind === 'permission' ? 'asks for permission' : 'asks'}`,
        body: first ? askText(first, more.length, level, redact) : '',
      };
    case 'finished':
      return {
        title: `${name} ${attention.why === 'failed' ? 'has failed' : 'has finished'}`,
        body: level === 'full' ? cleanLine(redact(attention.said ?? ''), bodyMax) : '',
      };
    case 'paused':
      return {
        title: `${name} was paused by the monitor`,
        body: level === 'none' ? '' : cleanLine(redact(attention.reason ?? ''), titleMax),
      };
    case 'exited':
      return {
        title: `the agent in ${name} has exited`,
        body: attention.exit_status ? `exit status ${attention.exit_status}` : '',
      };
  }
}

/** The alias with the slot, or the project with the name of the container: other commands take it. */
export function sessionName({ alias, workspace, slot, container }: SessionState): string {
  if (alias !== '') return cleanLine(`${alias}-${slot}`, nameMax);
  const project = cleanLine(posix.basename(workspace), projectMax);
  return project === '' ? container : `${project} (${container})`;
}

function askText(
  { kind, title, body }: AskJson,
  more: number,
  level: NoticeBody,
  redact: (text: string) => string,
): string {
  if (level === 'none') return '';
  const about =
    level === 'full' && kind !== 'question' && body !== ''
      ? `${redact(title)}: ${redact(body)}`
      : redact(title);
  const line = cleanLine(about, level === 'full' ? bodyMax : titleMax);
  return more === 0 ? line : `${line} (and ${more} more)`;
}

/** For what was held back. */
export function heldBackText(count: number): NoticeText {
  return { title: `coi: ${count} more ${count === 1 ? 'notice' : 'notices'}`, body: 'coi list' };
}
