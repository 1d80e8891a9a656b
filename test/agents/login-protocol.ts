// Messages between a test and the login provider in its namespace.

/** A request that the provider received; `token` is the presented one. */
export interface LoginRequest {
  readonly kind: 'asked';
  readonly what: 'renewal' | 'profile' | 'messages';
  readonly token: string;
  readonly refused: boolean;
}

export type FromLoginServer = { readonly kind: 'ready' | 'done' } | LoginRequest;

export interface ProviderAccount {
  readonly uuid: string;
  readonly organization: string;
  readonly email: string;
  readonly access: string;
  readonly refresh: string;
}

export type ToLoginServer =
  | ({ readonly kind: 'account' } & ProviderAccount)
  /** All access tokens are refused from now on. */
  | { readonly kind: 'expire' }
  | { readonly kind: 'settings'; readonly lifeS?: number; readonly together?: number };
