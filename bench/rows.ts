// All rows: what is measured, with bare Incus calls and the `incus` command for comparison, and the budgets.
import type { Row } from './measure.ts';
import { attach, kill, killFive, list, version } from './rows/manage.ts';
import { resume } from './rows/resume.ts';
import { agent, five, inBackground, run, shell } from './rows/start.ts';
import { branch, diff, merge } from './rows/trees.ts';
import type { Stage } from './stage.ts';

/** In running order: a row comes before those that are compared with it. */
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
  branch,
  diff,
  merge,
];
