// Converts the flags of a command line into requests of the use cases.
import type {
  ConfigurationRequest,
  OpenSessionRequest,
  SessionTarget,
  StartRequest,
  VariablesRequest,
} from '../app/requests.ts';
import type { NetworkMode } from '../coid-api/network-protocol.ts';
import { oldFlagSettings } from '../config/keys/old-flags.ts';
import { CoiError } from '../errors.ts';
import { parseSessionId, parseSlot, quoted, type Slot } from '../names.ts';
import { parseVariable } from '../session/plan/environment.ts';
import { parseMount } from '../session/plan/extra-mounts.ts';
import type { App } from './app.ts';
import type { GlobalOptions } from './command-module.ts';

/** Throws `usage`. */
export function sessionTarget(options: Partial<GlobalOptions>): SessionTarget {
  const { workspace, allUsers } = options;
  return { workspace, slot: parseSlotOption(options.slot), allUsers };
}

/** Throws `usage`, and `config-invalid` for a removed flag that is a configuration key now. */
export function configurationRequest(
  app: App,
  options: Partial<GlobalOptions> & { tool?: string },
): ConfigurationRequest {
  const { profile, image, tool, persistent, network, oldFlag = [] } = options;
  return {
    profile,
    image,
    tool,
    persistent,
    network: network === undefined ? undefined : parseNetworkMode(network),
    settings: oldFlagSettings(oldFlag, app.user.home),
  };
}

export function variablesRequest({
  env = [],
  envFile = [],
}: Partial<GlobalOptions>): VariablesRequest {
  return { env: env.map(parseVariable), envFiles: envFile };
}

export function startRequest(
  app: App,
  options: Partial<GlobalOptions> & { tool?: string },
): StartRequest {
  return {
    ...sessionTarget(options),
    ...configurationRequest(app, options),
    ...variablesRequest(options),
    mounts: (options.mount ?? []).map((text) => parseMount(text, app.cwd, app.user.home)),
  };
}

export interface ShellOptions extends GlobalOptions {
  background?: boolean;
  json?: boolean;
  tmux?: boolean;
  container?: string;
  tool?: string;
  branch?: string;
  new?: boolean;
  from?: string;
  ownTree?: boolean;
  sharedTree?: boolean;
}

export function openSessionRequest(
  app: App,
  options: Omit<ShellOptions, 'background'>,
  mode: OpenSessionRequest['mode'],
  alias?: string,
): OpenSessionRequest {
  return {
    ...startRequest(app, options),
    alias,
    mode,
    resume: parseResumeOption(options),
    container: options.container,
    tree: treeRequest(options, alias),
    debug: options.debug,
  };
}

/** Throws `usage` for flags that exclude each other. */
function treeRequest(
  { branch, new: isNew = false, from, ownTree, sharedTree, container }: Partial<ShellOptions>,
  alias: string | undefined,
): OpenSessionRequest['tree'] {
  const isOwn = branch !== undefined || ownTree === true;
  const other = sharedTree ? '--shared-tree' : container !== undefined ? '--container' : undefined;
  if (isOwn && (other !== undefined || alias !== undefined))
    throw new CoiError(
      'usage',
      `--branch and --own-tree cannot be used with ${other ?? 'an alias'}`,
      {
        hint: 'Leave out one of the two.',
      },
    );
  if (!isOwn && (isNew || from !== undefined))
    throw new CoiError('usage', `${isNew ? '--new' : '--from'} needs --branch or --own-tree`, {
      hint: 'Add --branch NAME.',
    });
  if (sharedTree) return 'shared';
  return isOwn ? { branch, isNew, from } : undefined;
}

/** 0 means any slot. */
function parseSlotOption(text: string | undefined): Slot | undefined {
  return text === undefined || text === '0' ? undefined : parseSlot(text);
}

/** `--continue` wins if both are given. */
function parseResumeOption({
  resume,
  continue: value = resume,
}: Pick<GlobalOptions, 'resume' | 'continue'>): OpenSessionRequest['resume'] {
  if (value === undefined) return undefined;
  return value === true || value === 'auto' || value === '' ? 'newest' : parseSessionId(value);
}

function parseNetworkMode(text: string): NetworkMode {
  if (text === 'restricted' || text === 'allowlist' || text === 'open') return text;
  throw new CoiError('usage', `invalid --network ${quoted(text)}`, {
    hint: 'Use restricted, allowlist or open.',
  });
}
