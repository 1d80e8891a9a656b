// Wire type for a mount that coid made for a session.
export interface ReservedMount {
  readonly name: string;
  /** The directory under /run/coi/mounts/<id>/ that becomes the disk device's source. */
  readonly hostPath: string;
  /** `plain` if the file system (see `fileSystem`) does not support idmapped mounts: raw.idmap is needed then. */
  readonly kind: 'idmapped' | 'plain';
  readonly fileSystem?: string | undefined;
  /** It contains other mounts, which the container needs as well. */
  readonly recursive?: boolean;
  /** Git directories in it that are read-only as a whole, because not all of their content was checked. */
  readonly whole?: readonly string[];
}
