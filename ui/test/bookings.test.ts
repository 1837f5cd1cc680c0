import { describe, expect, it } from 'vitest';
import type { Bookable } from '../src/api.bookings';
import { beginnings, reasonWord, spans } from '../src/bookings';

const minute = (of: number) => new Date(2026, 10, 23, 10, of).toISOString();
const bookable = (...free: [number, number][]): Bookable => ({
  id: 'E1', evse: 'E1', free: free.map(([from, to]) => ({ from: minute(from), to: minute(to) })), shortest: 15, longest: 120, early: 10, noshow: 15,
  change_until: 0, cancel_until: 0, terms_url: null,
});
const now = Date.parse(minute(5));
const at = (found: { at: number; longest: number }[]) => found.map((one) => [(one.at - Date.parse(minute(0))) / 60_000, one.longest]);

describe('the times that can be chosen', () => {
  it('begin now or on a quarter, and end before somebody else', () => {
    expect(at(beginnings(bookable([0, 50]), new Date(now), now))).toEqual([[5, 45], [15, 35], [30, 20]]);
    expect(at(beginnings(bookable([60, 90], [300, 1000]), new Date(now), now)).slice(0, 3)).toEqual([[60, 30], [75, 15], [300, 120]]);
  });
  it('are those of the day alone', () => {
    const tomorrow = new Date(2026, 10, 24, 9);
    expect(beginnings(bookable([0, 600]), tomorrow, now)).toEqual([]);
    expect(beginnings(bookable([0, 6000]), tomorrow, now)[0]?.at).toBe(new Date(2026, 10, 24).getTime());
  });
  it('have spans between the shortest and the longest', () => {
    expect(spans(bookable(), 70)).toEqual([15, 30, 45, 60]);
    expect(spans({ ...bookable(), shortest: 50, longest: 55 }, 55)).toEqual([55]);
  });
});

describe('the reason of a cancellation', () => {
  it('is told where there is one', () => {
    expect(reasonWord('FULL')).toBe('Somebody is still charging there');
    expect([reasonWord('UNKNOWN'), reasonWord('NO_CANCELED'), reasonWord(null)]).toEqual(['', '', '']);
  });
});
