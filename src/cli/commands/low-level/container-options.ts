// Flags of `coi container`.

export interface LaunchOptions {
  ephemeral?: boolean;
  storage?: string;
  json?: boolean;
}

export interface LifecycleOptions {
  force?: boolean;
  json?: boolean;
}

export interface MountOptions {
  shift?: string | true;
  readonly?: boolean;
  json?: boolean;
}
