import { connection, type NextRequest } from 'next/server';
import { ZodError } from 'zod';
import { PersistenceError } from '@/lib/persistence';
import { bearerOf, isOpen, isSession, isToken, SESSION_COOKIE } from '@/lib/server/access';

/** Nobody reads it. */
const CALLER_LEFT = 499;

type Handler = (request: NextRequest) => Promise<Response>;

/** A route for those who have the token, as a bearer or by their session. `failure` says what went wrong in a 500. */
export function guarded(failure: string, handle: Handler): Handler {
  return handler(failure, async (request) => {
    if (!isAllowed(request)) return unauthorized('Send PERSISTENCE_TOKEN as a bearer token, or log in.');
    return handle(request);
  });
}

/** A route that answers errors alike, for whoever may call it. */
export function handler(failure: string, handle: Handler): Handler {
  return async (request) => {
    // Nothing below runs while the app is built. Not inside `try`: it leaves a prerender by rejecting.
    await connection();
    try {
      return await handle(request);
    } catch (error) {
      if (request.signal.aborted) return new Response(null, { status: CALLER_LEFT });
      if (error instanceof ZodError) return badRequest(error.issues);
      if (isBadArgument(error)) return badRequest([{ path: fieldOf(error), message: error.message }]);
      return Response.json(failed(failure, error), { status: 500 });
    }
  };
}

/** A JSON answer with the time. */
export function answer(body: object): Response {
  return Response.json({ ...body, timestamp: new Date().toISOString() });
}

export function unauthorized(message: string): Response {
  const headers = { 'WWW-Authenticate': 'Bearer' };
  return Response.json({ error: 'Unauthorized', message }, { status: 401, headers });
}

/** What a caller is told of an error; the log is told all of it. */
export function failed(failure: string, error: unknown): { error: string; message: string } {
  console.error(`${failure}:`, error);
  return { error: failure, message: messageOf(error) };
}

function isAllowed(request: NextRequest): boolean {
  return (
    isOpen() || isToken(bearerOf(request.headers)) || isSession(request.cookies.get(SESSION_COOKIE)?.value)
  );
}

function badRequest(issues: readonly object[]): Response {
  return Response.json({ error: 'Invalid request', issues }, { status: 400 });
}

/** The layer knows limits of its own, such as the length of a user id. */
function isBadArgument(error: unknown): error is PersistenceError {
  return error instanceof PersistenceError && error.reason === 'INVALID_ARGUMENT';
}

function fieldOf({ details }: PersistenceError): unknown[] {
  return details?.field === undefined ? [] : [details.field];
}

/** Messages of the layer are made for the outside; of others nobody knows what they tell. */
function messageOf(error: unknown): string {
  return error instanceof PersistenceError
    ? error.message
    : 'Unexpected error; the log of the server has more.';
}
