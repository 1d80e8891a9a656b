// JSON Schemas of what agents do: `attention` of `coi list`, `coi wait`, `coi send` and `coi events`. Pure.
import { boolean, integer, list, object, type Shape, string } from './json-schema.ts';

const ask = object({
  id: string,
  kind: { enum: ['permission', 'question', 'plan', 'dialog'] },
  title: string,
  body: string,
  truncated: boolean,
  options: list(object({ id: string, label: string, note: string })),
  multiple: boolean,
  sub_agent: boolean,
});

const activity = {
  status: {
    enum: ['working', 'asks', 'idle', 'exited', 'paused', 'stopped', 'ended', 'unknown'],
  },
  'since?': string,
  /** Of `idle` and `unknown`. */
  'why?': string,
  /** Of `idle`: the agent's last words. */
  'said?': string,
  /** Of `exited`. */
  'exit_status?': integer,
  /** Of `paused`. */
  'by?': { enum: ['monitor', 'user'] },
  'reason?': string,
  asks: list(ask),
} as const;

/** `unseen`: the agent has ended its turn since the user looked at the session. */
export const attentionShape: Shape = object({ ...activity, unseen: boolean });

const state = {
  container: string,
  alias: string,
  slot: integer,
  tool: string,
  workspace: string,
  session_id: string,
  instance: string,
  attention: object(activity),
} as const;

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
  /** Without a choice: `asks` is what can be answered. */
  answer: object({
    container: string,
    alias: string,
    state: { enum: ['answered', 'asks'] },
    asks: list(ask),
  }),
  /** `sessions` of a snapshot; the other keys of the session that an event is about. */
  events: object({
    v: integer,
    type: { enum: ['snapshot', 'created', 'activity', 'ended'] },
    at: string,
    cursor: string,
    'from?': string,
    'sessions?': list(object(state)),
    'container?': string,
    'alias?': string,
    'slot?': integer,
    'tool?': string,
    'workspace?': string,
    'session_id?': string,
    'instance?': string,
    'attention?': object(activity),
  }),
};
