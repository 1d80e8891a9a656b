// A mount request with its opened source.
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import type { OpenSource } from '../../host/fs/open-mount-source.ts';

export interface OpenMount {
  readonly request: MountRequest;
  readonly source: OpenSource;
}
