// Who is signed in at which party. Every party has its own login and its own cookie (HttpOnly, so not readable here);
// this only remembers what `/me` said for as long as the page is open.
import type { Me, UserRole } from './api';
import { ApiError, at, get, onSignedOut, post } from './client';

const known = $state<Record<string, Me | null | undefined>>({});
// The cookie has run out: back to the login, wherever one is.
onSignedOut((slug) => { known[slug] = null; });

/** `undefined`: not asked yet; `null`: signed out. */
export function me(slug: string): Me | null | undefined { return known[slug]; }
export function has(slug: string, role: UserRole): boolean { return known[slug]?.roles.includes(role) ?? false; }

export async function whoAmI(slug: string): Promise<void> {
  try {
    known[slug] = await get<Me>(at('p', slug, 'me'));
  } catch (cause) {
    if (!(cause instanceof ApiError) || !cause.signedOut) throw cause;
    known[slug] = null;
  }
}

export async function signIn(slug: string, user: string, password: string): Promise<void> {
  known[slug] = await post<Me>(at('p', slug, 'login'), { user, password });
}

export async function signOut(slug: string): Promise<void> {
  await post(at('p', slug, 'logout'));
  known[slug] = null;
}

