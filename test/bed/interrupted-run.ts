// Runs test/bed/interrupted-suite.ts the way `npm test` runs its suites.
import { endWhatRuns, interruptedStatus, run } from '../../scripts/run.ts';

const { signal } = endWhatRuns();
const argv = [process.execPath, '--test', '--test-force-exit', 'test/bed/interrupted-suite.ts'];
const { status } = await run(argv, { show: 'copy', group: true });
const by = signal();
process.exit(by === undefined ? status : interruptedStatus(by));
