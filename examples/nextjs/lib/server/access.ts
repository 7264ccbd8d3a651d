import { createHmac, timingSafeEqual } from 'node:crypto';

/** The cookie of somebody who has logged in. */
export const SESSION_COOKIE = 'izzie-memory-session';

/** Everybody may come in while the app is developed and no token is set; nobody in production. */
export function isOpen(): boolean {
  return !process.env.PERSISTENCE_TOKEN && process.env.NODE_ENV !== 'production';
}

/** Whether this is `PERSISTENCE_TOKEN`. */
export function isToken(given: string | undefined): boolean {
  return isSecret(given, process.env.PERSISTENCE_TOKEN);
}

/** What the cookie of a session holds: whoever reads it does not learn the token, and a new token ends all sessions. */
export function sessionValue(): string | undefined {
  const token = process.env.PERSISTENCE_TOKEN;
  return token && createHmac('sha256', token).update(SESSION_COOKIE).digest('base64url');
}

export function isSession(cookie: string | undefined): boolean {
  return isSecret(cookie, sessionValue());
}

/** The token of `Authorization: Bearer …`. */
export function bearerOf(headers: Headers): string | undefined {
  return /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1];
}

/** In constant time. What is not set matches nothing. */
export function isSecret(given: string | undefined, secret: string | undefined): boolean {
  if (!given || !secret) return false;
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
