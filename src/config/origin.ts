// The origin of a value, and a layer of values with their origins.
import type { KeyName, PartialSettings } from './keys/table.ts';

export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | {
      readonly kind: 'profile';
      readonly name: string;
      readonly path: string;
      readonly line: number;
    }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'flag' };

/** The origins of a value: several if layers were merged, the strongest last. */
export type Origins = { readonly [K in KeyName]: readonly Origin[] };

export interface Layer {
  readonly values: PartialSettings;
  readonly origin: (key: KeyName) => Origin;
}

/** For people: `default`, `/home/u/.coi/config.toml:3`, `profile web (/…:3)`, `$COI_LIMIT_CPU`, `command line`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${origin.path}:${origin.line}`;
    case 'profile':
      return `profile ${origin.name} (${origin.path}:${origin.line})`;
    case 'env':
      return `$${origin.name}`;
    case 'flag':
      return 'command line';
  }
}
