// ~/.coi/trust.toml: the project files that the user has approved, each with a digest of the values it may loosen.
import { parse, stringify } from 'smol-toml';
import { CoiError } from '../../errors.ts';
import type { HostFiles, Owner } from '../../host/fs/host-files.ts';
import { isTable } from '../keys/values.ts';

const trustMaxBytes = 2 ** 20;
const relative = '.coi/trust.toml';

/** Digests by the path of the approved file. Throws `config-invalid` if the store is damaged. */
export function readApprovals(home: string, files: HostFiles): ReadonlyMap<string, string> {
  try {
    const content = files.readUserFile(home, relative, { maxBytes: trustMaxBytes });
    if (!content) return new Map();
    const table = parse(content.text)['approvals'];
    return new Map(
      Object.entries(isTable(table) ? table : {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    );
  } catch (error) {
    // A damaged store must neither approve anything nor be silently overwritten.
    throw new CoiError('config-invalid', `${home}/${relative} cannot be read`, {
      hint: 'Remove it and run `coi trust` again.',
      cause: error,
    });
  }
}

/** Writes the store as a whole, mode 0600. */
export function writeApprovals(
  home: string,
  approved: ReadonlyMap<string, string>,
  owner: Owner,
  files: HostFiles,
): void {
  using user = files.open(home);
  using top = files.open(`${home}/.coi`) ?? user?.makeDirectory('.coi', { owner });
  if (!top) throw new CoiError('config-invalid', `the home directory ${home} does not exist`);
  top.write('trust.toml', `${stringify({ approvals: Object.fromEntries(approved) })}\n`, { owner });
}

/** Whether COI_TRUST_ALL is set: every project is trusted. */
export function trustsAll(env: Readonly<Record<string, string | undefined>>): boolean {
  return ['1', 'true', 'yes'].includes((env['COI_TRUST_ALL'] ?? '').toLowerCase());
}
