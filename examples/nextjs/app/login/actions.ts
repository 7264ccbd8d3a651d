'use server';

import { cookies, headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { isToken, SESSION_COOKIE, sessionValue } from '@/lib/server/access';

const SESSION_SECONDS = 8 * 60 * 60;

/** Returns what is wrong, or leads to the dashboard. */
export async function logIn(_before: string | null, form: FormData): Promise<string | null> {
  const session = sessionValue();
  if (!session) return 'The server has no PERSISTENCE_TOKEN.';
  if (!isToken(form.get('token')?.toString())) return 'This is not the token.';
  const secure = (await headers()).get('x-forwarded-proto') === 'https';
  const options = { httpOnly: true, sameSite: 'strict', secure, maxAge: SESSION_SECONDS } as const;
  (await cookies()).set(SESSION_COOKIE, session, options);
  redirect('/');
}

export async function logOut(): Promise<void> {
  (await cookies()).delete(SESSION_COOKIE);
  redirect('/login');
}
