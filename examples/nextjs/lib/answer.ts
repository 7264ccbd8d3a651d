import { connection } from 'next/server';
import { PersistenceError } from '@/lib/persistence';

/** Answers with what `work` resolves to, and the time; with 500 and `failure` when it rejects. */
export async function answer(failure: string, work: () => Promise<object>): Promise<Response> {
  // Nothing below runs while the app is built. Not inside `try`: it leaves a prerender by rejecting.
  await connection();
  try {
    return Response.json({ ...(await work()), timestamp: new Date().toISOString() });
  } catch (error) {
    if (isBadArgument(error)) return badRequest([{ path: fieldOf(error), message: error.message }]);
    console.error(`${failure}:`, error);
    return Response.json({ error: failure, message: messageOf(error) }, { status: 500 });
  }
}

/** Answers with 400 and what is wrong with the request. */
export function badRequest(issues: readonly object[]): Response {
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
