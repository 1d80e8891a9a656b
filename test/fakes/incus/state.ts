// State of the fake daemon: plain maps that a test may fill and read.
import { createHash, randomUUID } from 'node:crypto';
import type {
  Image,
  Instance,
  InstanceStatus,
  LifecycleEvent,
  Network,
  Profile,
  Snapshot,
  StoragePool,
} from '../../../src/incus/shapes.ts';

export interface FakeEntry {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly content:
    | { readonly kind: 'file'; readonly bytes: Buffer }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly target: string };
}

export interface FakeInstance {
  name: string;
  status: InstanceStatus;
  ephemeral: boolean;
  description: string;
  profiles: string[];
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
  createdAt: string;
  readonly files: Map<string, FakeEntry>;
  readonly snapshots: Map<string, { snapshot: Snapshot; config: Record<string, string> }>;
  /** Ends its running execs; set by exec, called when it stops. */
  readonly execs: Set<() => void>;
}

export class FakeState {
  readonly instances = new Map<string, FakeInstance>();
  readonly images = new Map<string, Image>();
  readonly aliases = new Map<string, { target: string; description: string }>();
  readonly networks = new Map<string, Network>();
  readonly pools = new Map<string, StoragePool>();
  readonly profiles = new Map<string, Profile>([
    [
      'default',
      {
        name: 'default',
        description: '',
        config: {},
        devices: { root: { type: 'disk', path: '/', pool: 'default' } },
        used_by: [],
      },
    ],
  ]);
  extensions = [
    'container_exec_recording',
    'instances',
    'instance_create_start',
    'images_push_relay',
  ];
  readonly listeners = new Set<(event: LifecycleEvent) => void>();
  /** A counter, so that times differ and are the same in every run. */
  #ticks = 0;

  constructor() {
    this.pools.set('default', {
      name: 'default',
      driver: 'dir',
      status: 'Created',
      description: '',
      config: {},
      used_by: [],
    });
  }

  now(): string {
    this.#ticks += 1;
    return new Date(Date.UTC(2026, 0, 1) + this.#ticks * 1000).toISOString();
  }

  emit(action: string, source: string): void {
    const event: LifecycleEvent = {
      type: 'lifecycle',
      instance: undefined,
      timestamp: this.now(),
      project: 'default',
      metadata: {
        action,
        source: `/1.0/${source}`,
        requestor: { username: 'root', protocol: 'unix' },
      },
    };
    for (const listener of this.listeners) listener(event);
  }

  addInstance(name: string, values: Partial<Omit<FakeInstance, 'name'>> = {}): FakeInstance {
    const instance: FakeInstance = {
      name,
      status: 'Stopped',
      ephemeral: false,
      description: '',
      profiles: ['default'],
      devices: {},
      createdAt: this.now(),
      files: new Map([
        ['/', { uid: 0, gid: 0, mode: 0o755, content: { kind: 'directory' } }],
        ['/tmp', { uid: 0, gid: 0, mode: 0o1777, content: { kind: 'directory' } }],
        ['/bin', { uid: 0, gid: 0, mode: 0o777, content: { kind: 'symlink', target: '/usr/bin' } }],
      ]),
      snapshots: new Map(),
      execs: new Set(),
      ...values,
      config: {
        'volatile.uuid': randomUUID(),
        'volatile.uuid.generation': randomUUID(),
        ...values.config,
      },
    };
    this.instances.set(name, instance);
    return instance;
  }

  addImage(
    properties: Record<string, string> = {},
    sizeBytes = 1,
    fingerprint = createHash('sha256').update(randomUUID()).digest('hex'),
  ): Image {
    const at = this.now();
    const image: Image = {
      fingerprint,
      size: sizeBytes,
      created_at: at,
      uploaded_at: at,
      last_used_at: at,
      architecture: 'x86_64',
      type: 'container',
      public: false,
      cached: false,
      properties,
      aliases: [],
    };
    this.images.set(fingerprint, image);
    return image;
  }

  /** The image with its aliases, in API format. */
  imageShown(image: Image): Image {
    const aliases = [...this.aliases]
      .filter(([, { target }]) => target === image.fingerprint)
      .map(([name, { description }]) => ({ name, description }));
    return { ...image, aliases };
  }

  instanceShown(instance: FakeInstance): Instance {
    const profiles = instance.profiles.map((name) => this.profiles.get(name));
    const { name, status, description, ephemeral, config, devices, createdAt } = instance;
    return {
      name,
      status,
      description,
      ephemeral,
      config,
      devices,
      profiles: instance.profiles,
      created_at: createdAt,
      last_used_at: createdAt,
      expanded_config: Object.assign({}, ...profiles.map((profile) => profile?.config), config),
      expanded_devices: Object.assign({}, ...profiles.map((profile) => profile?.devices), devices),
      architecture: 'x86_64',
      type: 'container',
      project: 'default',
    };
  }
}

export function etagOf(value: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(value)).digest('hex')}"`;
}
