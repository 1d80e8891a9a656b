/** Frequently used commands: their separate bundle, a third of the program, loads 25 ms faster. */
export const commonCommands = [
  'shell',
  'run',
  'attach',
  'list',
  'shutdown',
  'kill',
  'persist',
  'unfreeze',
  'version',
] as const;
