// What a session does, as far as it can be known without entering its container. The types are part of the library.
export type { Activity, Ask, AskOption, IdleReason } from '../library-types.ts';
