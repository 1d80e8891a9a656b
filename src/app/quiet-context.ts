// Parts of a context that show no progress.
import type { ContextParts } from './make-context.ts';

export const quietParts: Omit<ContextParts, 'env' | 'cwd' | 'signal' | 'report'> = {
  progress: () => ({ update: () => {}, clear: () => {} }),
  byteProgress: () => {
    let sum = 0;
    return {
      add: (bytes) => {
        sum += bytes;
      },
      done: () => sum,
      clear: () => {},
    };
  },
  mark: () => {},
  embedded: true,
};
