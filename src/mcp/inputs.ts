// Arguments that several tools have.
import { z } from 'zod';

export const session = z
  .string()
  .min(1)
  .max(100)
  .describe('name or alias of a session, as list_sessions shows it');
