// Sends JSON to a service.

/**
 * Resolves with undefined if the service has accepted it, otherwise with the reason. Follows no redirects: the headers may
 * contain a token. The reply is not read.
 */
export async function postJson(
  url: string,
  value: unknown,
  {
    headers = {},
    limitMs,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly limitMs: number },
): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(value),
      redirect: 'manual',
      signal: AbortSignal.timeout(limitMs),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `it answered with status ${response.status}`;
  } catch (error) {
    const { name, message, cause } = error as Error;
    if (name === 'TimeoutError') return `it did not answer within ${limitMs / 1000} s`;
    return cause instanceof Error ? cause.message : message;
  }
}
