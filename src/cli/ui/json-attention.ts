// JSON Schemas of what agents do: `attention` of `coi list`, `coi wait` and `coi send`. Pure.
import { boolean, list, object, type Shape, string } from './json-schema.ts';

const ask = object({
  id: string,
  kind: { enum: ['permission', 'question', 'plan', 'dialog'] },
  title: string,
  body: string,
  truncated: boolean,
  options: list(object({ id: string, label: string, note: string })),
  sub_agent: boolean,
});

const activity = {
  status: {
    enum: ['working', 'asks', 'idle', 'exited', 'paused', 'stopped', 'ended', 'unknown'],
  },
  'since?': string,
  /** Of `idle` and `unknown`. */
  'why?': string,
  /** Of `paused`. */
  'by?': { enum: ['monitor', 'user'] },
  'reason?': string,
  asks: list(ask),
} as const;

export const attentionShape: Shape = object(activity);

export const attentionShapes: Readonly<Record<string, Shape>> = {
  wait: object({ container: string, alias: string, ...activity }),
  send: object({
    container: string,
    alias: string,
    state: { enum: ['delivered', 'queued'] },
    cursor: string,
    'end?': string,
    'reply?': string,
  }),
};
