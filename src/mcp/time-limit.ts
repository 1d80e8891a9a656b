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

/** The result of a call, or that its time was over. */
export async function withinLimit(
  { signal, isOver }: Limited,
  act: (signal: AbortSignal) => Promise<object>,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return { ...(await act(signal)), timed_out: false };
  } catch (error) {
    if (!isOver()) throw error;
    return { timed_out: true };
  }
}
