// For parts of coid that a test makes by itself, where all file systems answer.
export const localFiles = {
  look: async () => undefined,
  isAnyHeld: false,
  isHeld: () => false,
  isHeldDevice: () => false,
  during: <Result>(
    _path: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ) => work(signal),
};
