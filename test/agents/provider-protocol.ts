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

export type FromProvider = { readonly kind: 'ready' } | Heard;
