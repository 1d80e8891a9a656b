// Stand-in for tests that use parts of coid directly, where all file systems answer.
export const localFiles = {
  check: async () => undefined,
  isAnyUnresponsive: false,
  isUnresponsive: () => false,
  isUnresponsiveDevice: () => false,
  whileResponsive: <Result>(
    _path: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ) => work(signal),
};
