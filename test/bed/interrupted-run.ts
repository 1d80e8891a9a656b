// Runs the suite of test/bed/interrupted-suite.ts as `npm test` runs its own.
import { endWhatRuns, interruptedStatus, run } from '../../scripts/run.ts';

const { signal } = endWhatRuns();
const argv = [process.execPath, '--test', '--test-force-exit', 'test/bed/interrupted-suite.ts'];
const { status } = await run(argv, { show: 'copy', group: true });
const by = signal();
process.exit(by === undefined ? status : interruptedStatus(by));
