// A mount that coid made for a session.
export interface ReservedMount {
  readonly name: string;
  /** The directory under /run/coi/mounts/<id>/ that becomes the disk device's source. */
  readonly hostPath: string;
  /** `idmapped`, or `plain` where the file system, of that type, cannot be idmapped: then raw.idmap is needed. */
  readonly kind: 'idmapped' | 'plain';
  readonly fileSystem?: string | undefined;
  /** It holds further mounts, which the container has to get as well. */
  readonly recursive?: boolean;
  /** Directories of git's in it that cannot be written in, since not all of what is in them was looked at. */
  readonly whole?: readonly string[];
}
