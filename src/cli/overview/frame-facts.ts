// What the lines of the overview depend on, besides the overview itself.
import type { Style } from '../ui/style.ts';

export interface FrameFacts {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly home: string;
  readonly style: Style;
}
