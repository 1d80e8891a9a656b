// Parts of a context for whoever wants to hear nothing of the way.
import type { ContextParts } from './make-context.ts';

export const quietParts: Omit<ContextParts, 'env' | 'cwd' | 'signal' | 'report'> = {
  progress: () => ({ tell: () => {}, clear: () => {} }),
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
