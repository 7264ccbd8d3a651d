import type { StreamLine } from '@/lib/server/progress-stream';

/** A value after it went through JSON. */
export type Json<T> = T extends Date ? string : T extends object ? { [Key in keyof T]: Json<T[Key]> } : T;

/** Asks a route of this app; rejects with what it says is wrong. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<Json<T>> {
  return await (await checked(path, init)).json();
}

export async function post<T>(path: string, body: object, signal?: AbortSignal): Promise<Json<T>> {
  return await ask(path, { method: 'POST', body: JSON.stringify(body), signal });
}

/** The lines of a stream of JSON lines, as they come. */
export async function* lines<Result>(path: string, init: RequestInit): AsyncGenerator<StreamLine<Result>> {
  const response = await checked(path, { ...init, headers: { Accept: 'application/x-ndjson' } });
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (text + value).split('\n');
    text = parts.pop() ?? '';
    for (const line of parts) yield JSON.parse(line);
  }
}

async function checked(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { cache: 'no-store', ...init });
  if (response.status === 401) location.assign('/login');
  if (!response.ok) throw new Error(await problemOf(response));
  return response;
}

/** Of our own routes: `{ error, message }`, or `{ error, issues }` for a bad request. */
async function problemOf(response: Response): Promise<string> {
  const body = await response.json().catch(() => ({}));
  const issue = body.issues?.[0];
  if (issue) return [issue.path.join('.'), issue.message].filter(Boolean).join(': ');
  return body.message ?? `The server answered ${response.status}.`;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
