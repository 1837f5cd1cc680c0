// The words of bookings, and the times that can be chosen. Pure, so that it can be tested.
import type { Bookable, BookingStatus } from './api.bookings';
import type { Tone } from './status';

export const BOOKING: Record<BookingStatus, [word: string, tone: Tone]> = {
  PENDING: ['Not decided yet', 'busy'],
  RESERVED: ['Booked', 'good'],
  REJECTED: ['Not free any more', 'plain'],
  FAILED: ['Did not work', 'bad'],
  FULFILLED: ['Fulfilled', 'plain'],
  CANCELED: ['Cancelled', 'plain'],
  NO_SHOW: ['Nobody came', 'warn'],
  UNKNOWN: ['Unknown', 'plain'],
};

/** Why an operator cancels, as it is asked. */
export const REASONS: [code: string, word: string][] = [
  ['BROKEN_CHARGER', 'The charging point is out of order'], ['FULL', 'Somebody is still charging there'],
  ['BLOCKED', 'The charging point cannot be reached'], ['POWER_OUTAGE', 'There is no power'], ['UNKNOWN', 'Another reason'],
];
const WORDS = new Map([...REASONS, ['TRAFFIC', 'Held up in traffic'], ['BROKEN_VEHICLE', 'The car broke down']]);

/** Why it was cancelled; nothing where nobody said. */
export function reasonWord(code: string | null): string {
  return (code && code !== 'UNKNOWN' && code !== 'NO_CANCELED' && WORDS.get(code)) || '';
}

export const STEP_MIN = 15;
const STEP_MS = STEP_MIN * 60_000;
/** What is free from then on is free now: the operator was asked a moment after the page was opened. */
const AT_ONCE_MS = 120_000;

/** The beginnings that a day offers, each with the longest time that can be had from there, in minutes. */
export function beginnings(of: Bookable, day: Date, now: number): { at: number; longest: number }[] {
  const first = new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  const last = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
  const shortest = of.shortest ?? STEP_MIN;
  const found: { at: number; longest: number }[] = [];
  for (const { from, to } of of.free) {
    const [begin, end] = [Math.max(Date.parse(from), now, first), Date.parse(to)];
    // from now on counts as a beginning of its own: somebody who stands there does not wait for the next quarter
    const quarters = begin <= now + AT_ONCE_MS && now >= first ? [now] : [];
    const next = quarters.length > 0 ? now + 1 : begin;
    for (let at = Math.ceil(next / STEP_MS) * STEP_MS; at < last && at < end; at += STEP_MS) quarters.push(at);
    for (const at of quarters) {
      const longest = Math.min(Math.floor((end - at) / 60_000), oneLongest(of));
      if (longest >= shortest) found.push({ at, longest });
    }
  }
  return found;
}

const oneLongest = (of: Bookable): number => of.longest ?? 240;

/** The spans that may be chosen from a beginning on, in minutes. */
export function spans(of: Bookable, longest: number): number[] {
  const usual = [15, 30, 45, 60, 90, 120, 180, 240, 360, 480];
  const fit = usual.filter((minutes) => minutes >= (of.shortest ?? STEP_MIN) && minutes <= longest);
  return fit.length > 0 ? fit : [Math.max(of.shortest ?? STEP_MIN, Math.min(longest, oneLongest(of)))];
}
