// Expected state of three slots of one workspace after any sequence of events. Pure: the property test compares it
// with the real state.

export type Slot = 1 | 2 | 3;

export type EventKind =
  | 'start'
  | 'detach'
  | 'attach'
  | 'persist'
  | 'exit'
  | 'poweroff'
  | 'kill -9'
  | 'shutdown'
  | 'kill'
  | 'resume';

export interface Event {
  readonly kind: EventKind;
  readonly slot: Slot;
}

export interface SlotState {
  /** Container of the slot. */
  readonly container: 'none' | 'running' | 'stopped';
  readonly persistent: boolean;
  /** Which terminal is open: that of `coi shell`, of `coi attach`, or none. */
  readonly terminal: 'shell' | 'attach' | undefined;
  /** Program in the open terminal: the agent, or bash after leaving it. */
  readonly inAgent: boolean;
  /** Index of the session in start order; undefined if none ever started. */
  readonly session: number | undefined;
}

export interface Model {
  readonly slots: Readonly<Record<Slot, SlotState>>;
  /** Messages in each session. */
  readonly messages: readonly (readonly string[])[];
}

const empty: SlotState = {
  container: 'none',
  persistent: false,
  terminal: undefined,
  inAgent: false,
  session: undefined,
};

export const initialModel: Model = { slots: { 1: empty, 2: empty, 3: empty }, messages: [] };

const kinds: readonly EventKind[] = [
  'start',
  'detach',
  'attach',
  'persist',
  'exit',
  'poweroff',
  'kill -9',
  'shutdown',
  'kill',
  'resume',
];

/** Every event there is. */
export const events: readonly Event[] = ([1, 2, 3] as const).flatMap((slot) =>
  kinds.map((kind) => ({ kind, slot })),
);

/** Whether the event makes sense now. */
export function isPossible({ slots }: Model, { kind, slot }: Event): boolean {
  return possibleIn(slots[slot]).includes(kind);
}

function possibleIn({ container, terminal, session }: SlotState): EventKind[] {
  if (container === 'running')
    return [
      'persist',
      'shutdown',
      'kill',
      ...(terminal === undefined
        ? (['attach'] as const)
        : (['detach', 'exit', 'poweroff', 'kill -9'] as const)),
    ];
  return container === 'stopped'
    ? ['start', 'resume', 'kill']
    : ['start', ...(session === undefined ? [] : (['resume'] as const))];
}

/** The model after an event; `word` is the message that is sent when a terminal with an agent opens. */
export function applyEvent(model: Model, { kind, slot }: Event, word: string): Model {
  const state = model.slots[slot];
  const set = (next: Partial<SlotState>, messages = model.messages): Model => ({
    slots: { ...model.slots, [slot]: { ...state, ...next } },
    messages,
  });
  const speaking = (session: number) =>
    model.messages.map((words, at) => (at === session ? [...words, word] : words));
  const open = { container: 'running', terminal: 'shell', inAgent: true } as const;
  switch (kind) {
    case 'start':
      // A persistent container restarts with its own session; otherwise a new one starts.
      return state.container === 'stopped' && state.session !== undefined
        ? set(open, speaking(state.session))
        : set({ ...open, persistent: false, session: model.messages.length }, [
            ...model.messages,
            [word],
          ]);
    case 'resume':
      return set(open, speaking(state.session ?? 0));
    case 'attach':
      return state.inAgent
        ? set({ terminal: 'attach' }, speaking(state.session ?? 0))
        : set({ terminal: 'attach' });
    case 'detach':
    case 'kill -9':
      return set({ terminal: undefined });
    case 'exit':
      return set({ terminal: undefined, inAgent: false });
    case 'persist':
      return set({ persistent: true });
    case 'poweroff':
      return set({
        container: state.persistent ? 'stopped' : 'none',
        terminal: undefined,
        inAgent: false,
      });
    case 'shutdown':
    case 'kill':
      return set({ container: 'none', terminal: undefined, inAgent: false });
  }
}
