export function failed(what: string, error: unknown): Response {
  const message = error instanceof Error ? error.message : 'Unknown error';
  return Response.json({ error: what, message }, { status: 500 });
}

export function badRequest(details: string): Response {
  return Response.json({ error: 'Invalid request', details }, { status: 400 });
}

/** The body of a request as its schema has it: a text where one has to be. */
export function textOf(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} is required`);
  return value;
}

export function optional<T>(body: Record<string, unknown>, name: string, type: string): T | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== type) throw new TypeError(`${name} must be a ${type}`);
  return value as T;
}
