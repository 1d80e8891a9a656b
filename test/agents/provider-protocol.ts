// What the test and the provider in its namespace say to each other.

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly { readonly type: string; readonly text?: string }[];
}

/** One request of an agent. */
export interface Heard {
  readonly kind: 'heard';
  readonly key: string;
  readonly model: string;
  readonly hasTools: boolean;
  readonly said: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[];
}

/** Somebody connected to the port beside the provider's, where nothing is said. */
export interface Connected {
  readonly kind: 'connected';
}

export type FromProvider = { readonly kind: 'ready' } | Connected | Heard;

/** To the provider: ends the connections to that port. */
export interface HangUp {
  readonly kind: 'hang-up';
}
