// A time limit of a tool call, in seconds.

export interface Limited {
  readonly signal: AbortSignal;
  /** Whether the time was over before the call was. */
  readonly isOver: () => boolean;
}

/** `signal`: of the request, which the client may cancel. */
export function limited(signal: AbortSignal, seconds: number): Limited {
  const limit = AbortSignal.timeout(seconds * 1000);
  return {
    signal: AbortSignal.any([signal, limit]),
    isOver: () => limit.aborted && !signal.aborted,
  };
}
