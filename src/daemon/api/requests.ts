// Parses what peers send; nothing that was not checked here gets further.
import { isAbsolute, normalize } from 'node:path';
import * as z from 'zod/mini';
import type { EndedRequest, OwnershipRequest } from '../../coid-api/ended-protocol.ts';
import type { NetworkMode, PolicyRecord } from '../../coid-api/network-protocol.ts';
import { mountsMax } from '../../coid-api/protocol.ts';
import type {
  MountRequest,
  ProtectRequest,
  RemountRequest,
  ReserveRequest,
} from '../../coid-api/session-protocol.ts';
import type { StuckRequest } from '../../coid-api/stuck-protocol.ts';
import { CoiError } from '../../errors.ts';
import {
  parseContainerName,
  parseHash,
  parsePrefix,
  parseSessionId,
  parseSlot,
  quoted,
} from '../../names.ts';
import { networkPolicy } from '../../network/policy.ts';
import { cleanPath } from '../../session/protect/protect-request.ts';

const path = z.string().check(z.minLength(1), z.maxLength(4095));
const mode = z.enum(['restricted', 'allowlist', 'open']);
const directoriesMax = 1000;
const short = z.string().check(z.maxLength(300));
const port = z.int().check(z.minimum(1), z.maximum(65_535));
const policyShape = z.strictObject({
  mode,
  allow: z.array(short).check(z.maxLength(500)),
  hosts: z
    .array(z.strictObject({ address: short, names: z.array(short), ports: z.array(port) }))
    .check(z.maxLength(500)),
  dnsServers: z.array(short).check(z.maxLength(10)),
  allowedPorts: z.array(port).check(z.maxLength(500)),
  allowLocal: z.boolean(),
  blockPrivate: z.boolean(),
  blockMetadata: z.boolean(),
});
const mountShapes = z
  .array(
    z.strictObject({
      name: z.string(),
      source: path,
      readonly: z.boolean(),
      inside: z.optional(path),
      git: z.optional(z.string().check(z.regex(/^(?!\.{1,2}$)[^/\0]{1,255}$/))),
    }),
  )
  .check(z.maxLength(mountsMax));
/** What is named in the configuration, and what is hidden besides, with the links to it. */
const protectedMax = 600;
const secretShapes = z.array(z.string().check(z.maxLength(1023))).check(z.maxLength(200));
const protectShape = z.strictObject({
  paths: z.array(z.string().check(z.maxLength(1023))).check(z.maxLength(protectedMax)),
  mode: z.enum(['guard', 'watch']),
  readonlyGit: z.optional(z.boolean()),
  writable: z.optional(
    z.array(z.string().check(z.maxLength(1023))).check(z.maxLength(protectedMax)),
  ),
});
const ownershipShape = z.strictObject({
  workspace: path,
  directories: z.array(path).check(z.maxLength(directoriesMax)),
  dryRun: z.optional(z.boolean()),
});
const startId = z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
const remountShape = z.strictObject({
  id: z.string(),
  startId,
  mounts: z.optional(mountShapes),
  network: z.optional(mode),
  protect: z.optional(protectShape),
  secrets: z.optional(secretShapes),
});
const endedShape = z.strictObject({ workspace: path, container: z.optional(z.string()) });
const shape = z.strictObject({
  prefix: z.string(),
  hash: z.string().check(z.regex(/^[0-9a-f]{8}$/)),
  slot: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('auto') }),
    z.strictObject({ kind: z.literal('from'), slot: z.number() }),
  ]),
  container: z.optional(z.string()),
  session: z.string(),
  startId,
  workspace: path,
  mounts: mountShapes,
  network: mode,
  policy: z.optional(policyShape),
  protect: z.optional(protectShape),
  secrets: z.optional(secretShapes),
  persistent: z.optional(z.boolean()),
});

/** Throws `usage` or one of the codes for names and paths. */
export function parseReserveRequest(body: unknown): ReserveRequest {
  const result = z.safeParse(shape, body);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new CoiError(
      'usage',
      `not a reservation: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    );
  }
  const { prefix, hash, slot, container, session, workspace, mounts, policy, protect, ...more } =
    result.data;
  const { secrets, ...rest } = more;
  return {
    ...rest,
    prefix: parsePrefix(prefix),
    hash: parseHash(hash),
    slot: slot.kind === 'auto' ? slot : { kind: 'from', slot: parseSlot(String(slot.slot)) },
    ...(container === undefined ? {} : { container: parseContainerName(container) }),
    ...(policy === undefined ? {} : { policy: soundPolicy(policy, rest.network) }),
    ...(protect === undefined ? {} : { protect: soundProtection(protect) }),
    ...(secrets === undefined ? {} : { secrets: secrets.map(cleanPath) }),
    session: parseSessionId(session),
    workspace: absolutePath(workspace),
    mounts: soundMounts(mounts),
  };
}

/** Throws `usage` or `mount-invalid`. */
export function parseRemountRequest(body: unknown): RemountRequest {
  const result = z.safeParse(remountShape, body);
  if (!result.success) throw new CoiError('usage', 'not a request for mounts');
  const { id, startId, mounts, network, protect, secrets } = result.data;
  return {
    id,
    startId,
    ...(mounts === undefined ? {} : { mounts: soundMounts(mounts) }),
    ...(network === undefined ? {} : { network }),
    ...(protect === undefined ? {} : { protect: soundProtection(protect) }),
    ...(secrets === undefined ? {} : { secrets: secrets.map(cleanPath) }),
  };
}

/** Throws `usage` or `mount-invalid`. */
export function parseOwnershipRequest(body: unknown): OwnershipRequest {
  const result = z.safeParse(ownershipShape, body);
  if (!result.success) throw new CoiError('usage', 'not a request for ownership');
  const { workspace, directories, dryRun } = result.data;
  return {
    workspace: absolutePath(workspace),
    directories: directories.map(absolutePath),
    dryRun: dryRun ?? false,
  };
}

/** Throws `usage` or `mount-invalid`. */
export function parseEndedRequest(body: unknown): EndedRequest {
  const result = z.safeParse(endedShape, body);
  if (!result.success) throw new CoiError('usage', 'not a question for ended sessions');
  const { workspace, container } = result.data;
  return { workspace: absolutePath(workspace), container };
}

const stuckShape = z.object({ id: z.string() });

/** Throws `usage`. */
export function parseStuckRequest(body: unknown): StuckRequest {
  const result = z.safeParse(stuckShape, body);
  if (!result.success) throw new CoiError('usage', 'not a request to free a container');
  return result.data;
}

function soundMounts(mounts: readonly MountRequest[]): MountRequest[] {
  if (new Set(mounts.map(({ name }) => name)).size < mounts.length)
    throw new CoiError('usage', 'not a request for mounts: two of them have one name');
  if (mounts.filter(({ git }) => git !== undefined).length > 1)
    throw new CoiError('usage', 'not a request for mounts: two directories of git');
  return mounts.map(({ name, source, readonly, inside, git }) => ({
    name: mountName(name),
    source: absolutePath(source),
    readonly,
    ...(inside === undefined ? {} : { inside: relativePath(inside) }),
    ...(git === undefined ? {} : { git }),
  }));
}

function relativePath(text: string): string {
  const plain = text
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (plain || text === '.') return text;
  throw new CoiError('mount-invalid', `${quoted(text)} is no plain path inside the workspace`);
}

/** Throws `unprotected-path` for what is no plain path. */
function soundProtection(request: ProtectRequest): ProtectRequest {
  const { paths, mode: how, readonlyGit, writable } = request;
  return {
    paths: paths.map(cleanPath),
    mode: how,
    ...(readonlyGit ? { readonlyGit } : {}),
    ...(writable ? { writable: writable.map(cleanPath) } : {}),
  };
}

/** Every part of it is parsed once, so that nothing fails when it becomes rules. */
function soundPolicy(policy: PolicyRecord, mode: NetworkMode): PolicyRecord {
  if (policy.mode !== mode) throw new CoiError('usage', 'not a reservation: two network modes');
  networkPolicy(policy);
  return policy;
}

/** A name becomes a directory below the run directory, so nothing but plain names. */
export function mountName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return name;
  throw new CoiError('mount-invalid', `invalid name of a mount ${quoted(name)}`);
}

function absolutePath(text: string): string {
  if (isAbsolute(text) && !text.includes('\0') && normalize(text) !== '') return normalize(text);
  throw new CoiError('mount-invalid', `${quoted(text)} is not an absolute path`);
}
