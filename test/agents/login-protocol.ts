// What a test and the provider of logins in its namespace say to each other.

/** A request that the provider got; `token` is the one that was shown. */
export interface Asked {
  readonly kind: 'asked';
  readonly what: 'renewal' | 'profile' | 'messages';
  readonly token: string;
  readonly refused: boolean;
}

export type FromLoginServer = { readonly kind: 'ready' | 'done' } | Asked;

export interface AccountAtProvider {
  readonly uuid: string;
  readonly organization: string;
  readonly email: string;
  readonly access: string;
  readonly refresh: string;
}

export type ToLoginServer =
  | ({ readonly kind: 'account' } & AccountAtProvider)
  /** All access tokens are refused from now on. */
  | { readonly kind: 'expire' }
  | { readonly kind: 'settings'; readonly lifeS?: number; readonly together?: number };
