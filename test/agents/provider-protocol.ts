// Messages between the test and the provider in its namespace.

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly { readonly type: string; readonly text?: string }[];
}

/** One request from an agent. */
export interface AgentRequest {
  readonly kind: 'heard';
  readonly key: string;
  readonly model: string;
  readonly hasTools: boolean;
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[];
}

/** A connection was opened to the silent port next to the provider's. */
export interface SilentConnection {
  readonly kind: 'connected';
}

export type FromProvider = { readonly kind: 'ready' } | SilentConnection | AgentRequest;

/** To the provider: close the connections to the silent port. */
export interface HangUp {
  readonly kind: 'hang-up';
}
