// The Incus REST API as typed calls over its unix socket. Independent of coi.
// This file lists the calls; each group of calls is implemented in its own file.
import type { Duplex, Readable, Writable } from 'node:stream';
import type {
  CreateInstance,
  Devices,
  Image,
  ImageAliasEntry,
  IncusEvent,
  Instance,
  InstanceFull,
  InstancePatch,
  InstanceState,
  Network,
  OperationData,
  Profile,
  Server,
  Snapshot,
  StateChange,
  StoragePool,
} from './shapes.ts';

export interface CallOptions {
  signal?: AbortSignal;
  /** Limit of the whole call; default 30 s unless a call says otherwise. */
  timeoutMs?: number;
}

export interface BeforeEachRequest {
  /** Awaited before each request and each retry; if it throws, no request is sent. */
  before?: () => Promise<void>;
}

/** A background operation that was accepted. */
export interface Operation {
  readonly id: string;
  /** Waits until it is done. Throws IncusError (status 400 and the daemon's text) if it failed. */
  wait(options?: CallOptions): Promise<OperationData>;
  cancel(options?: CallOptions): Promise<void>;
}

export interface ExecRequest {
  command: readonly string[];
  /** Never put a secret here or in `command`: the host's `ps` and Incus's events show both. */
  environment?: Record<string, string>;
  cwd?: string;
  user?: number;
  group?: number;
}

/** A command with its own terminal inside the instance. */
export interface TerminalExec {
  /** Writing types input, reading returns output. Ends when the command has ended and all output was read. */
  readonly stream: Duplex;
  resize(columns: number, rows: number): void;
  /** Sends a signal by number to the command. */
  signal(signal: number): void;
  /** The exit status (including 126, 127, 137 and 255), after all output was read. Rejects if the connection or the daemon is lost. */
  readonly status: Promise<number>;
  /** Closes the connections; the command keeps running if it survives the loss of its terminal. */
  close(): void;
}

/** A command with separate streams inside the instance. */
export interface PipedExec {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  signal(signal: number): void;
  readonly status: Promise<number>;
  close(): void;
}

export interface CapturedExec {
  status: number;
  stdout: Buffer;
  stderr: Buffer;
}

export interface FileOptions extends CallOptions {
  uid?: number;
  gid?: number;
  mode?: number;
  write?: 'overwrite' | 'append';
}

export type GuestFile =
  | { kind: 'file'; uid: number; gid: number; mode: number; content: Readable }
  | { kind: 'directory'; uid: number; gid: number; mode: number; entries: string[] }
  | { kind: 'symlink'; uid: number; gid: number; mode: number; target: string };

/** One connection to `/1.0/events`; ends with an error when it is lost or the reader is too slow (4096 events). */
export interface EventStream extends AsyncIterable<IncusEvent> {
  /** Resolves when the server has accepted the subscription; later events are not missed. */
  readonly ready: Promise<void>;
  close(): void;
}

export interface Incus {
  readonly socketPath: string;

  server(options?: CallOptions): Promise<Server>;
  /** True if the server has that API extension. The list is cached for the life of the client. */
  has(extension: string, options?: CallOptions): Promise<boolean>;

  /** Names only: about 2 ms. */
  instanceNames(options?: CallOptions): Promise<string[]>;
  /** Configuration without live state: cheap. Only this client's project unless `allProjects` is set. */
  instances(options?: CallOptions & { allProjects?: boolean }): Promise<Instance[]>;
  /** With live state. Expensive: queries every running container. */
  instancesWithState(options?: CallOptions): Promise<InstanceFull[]>;
  /** One instance with the ETag of its configuration; undefined if it does not exist. */
  instance(
    name: string,
    options?: CallOptions,
  ): Promise<{ instance: Instance; etag: string } | undefined>;
  instanceState(name: string, options?: CallOptions): Promise<InstanceState>;
  /** Operations of all instances, including ones that have just ended: about 1 ms. */
  operations(options?: CallOptions): Promise<OperationData[]>;
  createInstance(request: CreateInstance, options?: CallOptions): Promise<Operation>;
  /** PATCH: merges keys (an empty string removes a config key). With `etag` it fails with status 412 if the instance changed. */
  updateInstance(
    name: string,
    patch: InstancePatch,
    options?: CallOptions & { etag?: string },
  ): Promise<void>;
  /** PUT of the whole configuration: the only way to remove a device. */
  replaceInstance(
    name: string,
    instance: Instance,
    options?: CallOptions & { etag?: string },
  ): Promise<void>;
  /** While the instance is being updated, `wait` retries for some seconds; likewise for `deleteInstance`. */
  changeState(
    name: string,
    change: StateChange,
    options?: CallOptions & BeforeEachRequest,
  ): Promise<Operation>;
  deleteInstance(name: string, options?: CallOptions & BeforeEachRequest): Promise<Operation>;

  execTerminal(
    name: string,
    request: ExecRequest & { columns: number; rows: number },
    options?: CallOptions,
  ): Promise<TerminalExec>;
  execPiped(name: string, request: ExecRequest, options?: CallOptions): Promise<PipedExec>;
  /**
   * Runs a command to its end and returns its output (each stream at most 64 MiB); `input` becomes stdin. If Incus loses
   * the command at its start, it is run again, so it may run twice.
   */
  execCaptured(
    name: string,
    request: ExecRequest & { input?: string | Buffer },
    options?: CallOptions,
  ): Promise<CapturedExec>;

  /** Undefined if the path does not exist. */
  readFile(name: string, path: string, options?: CallOptions): Promise<GuestFile | undefined>;
  writeFile(
    name: string,
    path: string,
    content: Buffer | Readable,
    options?: FileOptions,
  ): Promise<void>;
  makeDirectory(name: string, path: string, options?: FileOptions): Promise<void>;
  /** Creates a symbolic link; its target is not checked. */
  makeLink(name: string, path: string, target: string, options?: FileOptions): Promise<void>;
  deleteFile(name: string, path: string, options?: CallOptions): Promise<void>;

  snapshots(name: string, options?: CallOptions): Promise<Snapshot[]>;
  createSnapshot(
    name: string,
    snapshot: { name: string; stateful?: boolean },
    options?: CallOptions,
  ): Promise<Operation>;
  /** With `etag` it fails with status 412 if the instance changed, which usually includes a start. */
  restoreSnapshot(
    name: string,
    snapshot: string,
    options?: CallOptions & { etag?: string; stateful?: boolean },
  ): Promise<Operation>;
  deleteSnapshot(name: string, snapshot: string, options?: CallOptions): Promise<Operation>;

  images(options?: CallOptions): Promise<Image[]>;
  image(fingerprint: string, options?: CallOptions): Promise<Image | undefined>;
  /** The target of an image alias, or undefined. */
  imageAlias(alias: string, options?: CallOptions): Promise<ImageAliasEntry | undefined>;
  setImageAlias(
    alias: string,
    fingerprint: string,
    description?: string,
    options?: CallOptions,
  ): Promise<void>;
  deleteImageAlias(alias: string, options?: CallOptions): Promise<void>;
  /** Publishes a stopped instance; the operation's metadata holds `fingerprint`. */
  publishImage(
    request: {
      instance: string;
      properties?: Record<string, string>;
      compression?: string;
      aliases?: string[];
    },
    options?: CallOptions,
  ): Promise<Operation>;
  /** Imports a split image (metadata tarball and root file system tarball, files on the host). */
  importImage(
    request: { metadataPath: string; rootfsPath: string; properties?: Record<string, string> },
    options?: CallOptions,
  ): Promise<Operation>;
  /** Checks the image's source for a newer version, which replaces it and takes over its aliases. */
  refreshImage(fingerprint: string, options?: CallOptions): Promise<Operation>;
  deleteImage(fingerprint: string, options?: CallOptions): Promise<Operation>;

  networks(options?: CallOptions): Promise<Network[]>;
  network(name: string, options?: CallOptions): Promise<Network | undefined>;
  createNetwork(
    network: { name: string; type: 'bridge'; description?: string; config: Record<string, string> },
    options?: CallOptions,
  ): Promise<void>;
  updateNetwork(
    name: string,
    patch: { config: Record<string, string> },
    options?: CallOptions,
  ): Promise<void>;
  storagePools(options?: CallOptions): Promise<StoragePool[]>;
  storageResources(
    pool: string,
    options?: CallOptions,
  ): Promise<{ space: { used: number; total: number } }>;
  createStoragePool(
    pool: { name: string; driver: string; description?: string; config: Record<string, string> },
    options?: CallOptions,
  ): Promise<void>;
  profile(name: string, options?: CallOptions): Promise<Profile | undefined>;
  profiles(options?: CallOptions): Promise<Profile[]>;
  /** Changes the named devices and leaves the others. */
  updateProfile(name: string, patch: { devices: Devices }, options?: CallOptions): Promise<void>;

  events(
    types: readonly ('lifecycle' | 'operation')[],
    options?: { signal?: AbortSignal },
  ): EventStream;

  /** A raw call of any path; returns the envelope's metadata. */
  query(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    options?: CallOptions,
  ): Promise<unknown>;

  /** Closes idle connections so that the process can end. */
  close(): void;
}

/** A failed call or operation. Branch on `status`, never on text. */
export class IncusError extends Error {
  /** HTTP status of the reply or, for a failed operation, its status code; 0 when there was no reply. */
  readonly status: number;
  readonly method: string;
  readonly path: string;
  /** For status 0: the system's error code (ENOENT, EACCES, ECONNREFUSED, ETIMEDOUT, ...). */
  readonly errno: string | undefined;
  /** For an exec: Incus lost the command at its start. It did not run, or it ran with an unknown result. */
  readonly lostAtStart: boolean;

  constructor(details: {
    status: number;
    method: string;
    path: string;
    message: string;
    errno?: string | undefined;
    lostAtStart?: boolean;
    cause?: unknown;
  }) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'IncusError';
    this.status = details.status;
    this.method = details.method;
    this.path = details.path;
    this.errno = details.errno;
    this.lostAtStart = details.lostAtStart ?? false;
  }
}
