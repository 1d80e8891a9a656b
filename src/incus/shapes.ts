// Types of the Incus REST API, as far as coi uses it. Field names are the API's.
// Source: the Incus API specification (doc/rest-api.yaml of Incus 6.0).

export type InstanceStatus =
  | 'Running'
  | 'Stopped'
  | 'Frozen'
  | 'Error'
  | 'Starting'
  | 'Stopping'
  | 'Freezing'
  | 'Thawed'
  | 'Aborting'
  | 'Ready';

export type Config = Record<string, string>;
export type Device = Record<string, string>;
export type Devices = Record<string, Device>;

export interface Server {
  api_extensions: string[];
  auth: string;
  environment: {
    server: string;
    server_version: string;
    server_pid: number;
    kernel_version: string;
    storage: string;
    [key: string]: unknown;
  };
  config: Config;
}

export interface Instance {
  name: string;
  status: InstanceStatus;
  description: string;
  created_at: string;
  last_used_at: string;
  ephemeral: boolean;
  profiles: string[];
  config: Config;
  devices: Devices;
  expanded_config: Config;
  expanded_devices: Devices;
  architecture: string;
  type: string;
  project: string;
}

export interface NetworkAddress {
  family: 'inet' | 'inet6';
  address: string;
  netmask: string;
  scope: 'global' | 'link' | 'local';
}

export interface InstanceState {
  status: InstanceStatus;
  pid: number;
  processes: number;
  memory: { usage: number; usage_peak: number; total?: number };
  cpu: { usage: number };
  disk: Record<string, { usage: number; total?: number }> | null;
  network: Record<
    string,
    {
      addresses: NetworkAddress[];
      host_name: string;
      hwaddr: string;
      counters: Record<string, number>;
    }
  > | null;
}

export interface Snapshot {
  name: string;
  created_at: string;
  expires_at: string;
  stateful: boolean;
  description?: string;
  /** Bytes; absent if the pool does not report it. */
  size?: number;
}

export type InstanceFull = Instance & { state: InstanceState | null; snapshots: Snapshot[] | null };

export interface CreateInstance {
  name: string;
  type: 'container';
  start?: boolean;
  description?: string;
  ephemeral?: boolean;
  profiles?: string[];
  config?: Config;
  devices?: Devices;
  source:
    | { type: 'image'; alias: string }
    | { type: 'image'; fingerprint: string }
    | { type: 'copy'; source: string; instance_only?: boolean; live?: boolean }
    | { type: 'none' };
}

export interface InstancePatch {
  config?: Config;
  devices?: Devices;
  ephemeral?: boolean;
  description?: string;
  profiles?: string[];
}

export interface StateChange {
  action: 'start' | 'stop' | 'restart' | 'freeze' | 'unfreeze';
  /** Seconds until a graceful stop gives up; -1 waits forever. */
  timeout?: number;
  force?: boolean;
  stateful?: boolean;
}

export interface OperationData {
  id: string;
  class: 'task' | 'websocket' | 'token';
  description: string;
  created_at: string;
  updated_at: string;
  status: string;
  status_code: number;
  resources: Record<string, string[]> | null;
  metadata: Record<string, unknown> | null;
  may_cancel: boolean;
  err: string;
}

export interface LifecycleEvent {
  type: 'lifecycle';
  timestamp: string;
  project: string;
  /** Name of the instance, from the event's source; for a snapshot, the instance it belongs to. */
  instance: string | undefined;
  metadata: {
    /** For example `instance-started`, `instance-shutdown`, `instance-stopped`, `instance-restarted`, `instance-deleted`. */
    action: string;
    /** For example `/1.0/instances/NAME`. */
    source: string;
    context?: Record<string, unknown>;
    requestor?: { username: string; protocol: string };
    name?: string;
    project?: string;
  };
}

export interface OperationEvent {
  type: 'operation';
  timestamp: string;
  project: string;
  metadata: OperationData;
}

export type IncusEvent = LifecycleEvent | OperationEvent;

export interface Image {
  fingerprint: string;
  size: number;
  created_at: string;
  uploaded_at: string;
  last_used_at: string;
  architecture: string;
  type: string;
  public: boolean;
  cached: boolean;
  properties: Record<string, string>;
  aliases: { name: string; description: string }[];
}

export interface ImageAliasEntry {
  name: string;
  description: string;
  target: string;
  type: string;
}

export interface Network {
  name: string;
  type: string;
  managed: boolean;
  status: string;
  description: string;
  config: Config;
  used_by: string[];
}

export interface StoragePool {
  name: string;
  driver: string;
  status: string;
  description: string;
  config: Config;
  used_by: string[];
}

export interface Profile {
  name: string;
  description: string;
  config: Config;
  devices: Devices;
  used_by: string[];
}
