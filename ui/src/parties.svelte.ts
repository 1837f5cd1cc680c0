// Who takes part in this network, asked once and shared by every page; and the rooms' own time: a demo's clock may run
// faster than the wall's, and "12 min" must mean the same to the page as to the station.
import type { Parties, Party } from './api';
import { get } from './client';
import { Loader } from './loader.svelte';

let askedAt = Date.now();

export const parties = new Loader(async () => {
  const answer = await get<Parties>('/api/parties');
  askedAt = Date.now();
  return answer;
});

export function party(slug: string): Party | undefined {
  return parties.value?.items.find((one) => one.slug === slug);
}

/** The name behind a party id such as `DE-VLT`, or the id itself. */
export function nameOf(id: string): string {
  return parties.value?.items.find((one) => one.party === id)?.name ?? id;
}

/** Milliseconds since 1970 on the rooms' clock. */
export function roomTime(): number {
  const { now, clock_factor: factor = 1 } = parties.value ?? {};
  const started = now ? Date.parse(now) : Number.NaN;
  return Number.isNaN(started) ? Date.now() : started + (Date.now() - askedAt) * factor;
}
