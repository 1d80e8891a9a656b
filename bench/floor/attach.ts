// Floor of `coi attach`: tmux attach in a running container.
import { execTerminal, pipeTerminal } from './raw.ts';

const [name = '', session = ''] = process.argv.slice(2);
await pipeTerminal(await execTerminal(name, ['tmux', '-u', 'attach', '-t', session]));
