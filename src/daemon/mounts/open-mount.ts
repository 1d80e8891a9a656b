// A mount whose source was opened.
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import type { Source } from '../../host/fs/open-source.ts';

export interface OpenMount {
  readonly request: MountRequest;
  readonly source: Source;
}
