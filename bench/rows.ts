// The table of design section 9: what is measured, what bare Incus calls and the `incus` command need for it, and the budgets.
import type { Row } from './measure.ts';
import { attach, kill, killFive, list, version } from './rows/manage.ts';
import { resume } from './rows/resume.ts';
import { agent, five, inBackground, run, shell } from './rows/start.ts';
import type { Stage } from './stage.ts';

/** In the order in which they run: a row that others are compared with comes before them. */
export const rows: readonly Row<Stage>[] = [
  version,
  shell,
  agent,
  resume,
  inBackground,
  run,
  attach,
  kill,
  killFive,
  list,
  five,
];
