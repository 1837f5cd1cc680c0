// Charging profiles as people think of them: a few presets made into profiles of OCPP, and a composite schedule made into
// the points of a plot. Limits stay decimal text on their way to the station; only the plot reads them as numbers.
import type { Composite, ProfileBody } from '../../api.daily';

export type Preset = 'station_limit' | 'point_limit' | 'pause' | 'night';
export interface Wish { preset: Preset; id: number; level: number; unit: 'W' | 'A'; limit: string; low: string; hours: string; from: string; until: string }
const DAY_S = 86_400;
const HOUR_S = 3_600;

/** What was typed, in whole watts or in amperes: kilowatts are shifted, never multiplied as floats. */
export function limit(text: string, unit: 'W' | 'A'): string | null {
  const match = /^(\d{1,6})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (!match) return null;
  const [, whole = '0', part = ''] = match;
  if (unit === 'A') return part ? `${whole}.${part}` : whole;
  return String(Number(whole + part.padEnd(3, '0')));
}

function seconds(time: string): number | null {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  return hour === undefined || minute === undefined ? null : Number(hour) * HOUR_S + Number(minute) * 60;
}

/** The profile of a preset; the name of the field that is wrong where there is none. `now` and midnight are the viewer's. */
export function profile(wish: Wish, now: Date): { profile: ProfileBody } | { wrong: 'limit' | 'low' | 'hours' | 'from' | 'until' } {
  const most = limit(wish.limit, wish.unit);
  const base = { id: wish.id, stack_level: wish.level };
  if (wish.preset === 'pause') return { profile: { ...base, purpose: 'default', kind: 'absolute', ...span(now, 0), schedules: [schedule(wish.unit, [[0, '0']], now)] } };
  if (most === null) return { wrong: 'limit' };
  if (wish.preset === 'station_limit') return { profile: { ...base, purpose: 'station_max', kind: 'absolute', schedules: [schedule(wish.unit, [[0, most]], now)] } };
  if (wish.preset === 'point_limit') {
    const hours = wish.hours.trim() === '' ? 0 : Number(wish.hours.replace(',', '.'));
    if (!Number.isFinite(hours) || hours < 0) return { wrong: 'hours' };
    return { profile: { ...base, purpose: 'default', kind: 'absolute', ...span(now, hours), schedules: [schedule(wish.unit, [[0, most]], now)] } };
  }
  return night(wish, base, most, now);
}

/** `most` between the two hours of the day, `low` otherwise; every day. */
function night(wish: Wish, base: { id: number; stack_level: number }, most: string, now: Date): ReturnType<typeof profile> {
  const low = limit(wish.low, wish.unit);
  const from = seconds(wish.from);
  const until = seconds(wish.until);
  if (low === null) return { wrong: 'low' };
  if (from === null) return { wrong: 'from' };
  if (until === null || until === from) return { wrong: 'until' };
  const turns: [number, string][] = from < until ? [[0, low], [from, most], [until, low]] : [[0, most], [until, low], [from, most]];
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const periods = turns[1]?.[0] === 0 ? turns.slice(1) : turns;
  return { profile: { ...base, purpose: 'default', kind: 'daily', schedules: [{ ...schedule(wish.unit, periods, midnight), duration_s: DAY_S }] } };
}

function span(now: Date, hours: number): { valid_until?: string } {
  return hours > 0 ? { valid_until: new Date(now.getTime() + hours * HOUR_S * 1000).toISOString() } : {};
}

function schedule(unit: 'W' | 'A', periods: [number, string][], start: Date): ProfileBody['schedules'][number] {
  return { id: 1, start: start.toISOString(), unit, periods: periods.map(([at, most]) => ({ start: at, limit: most })) };
}

/** The corners of a stepped plot. A period without a limit is left out: it says nothing about power. */
export function steps({ start, duration_s, periods }: Composite): { at: string; value: number }[] {
  const begin = Date.parse(start);
  const at = (offset: number) => new Date(begin + offset * 1000).toISOString();
  const points = periods.flatMap((one) => {
    const value = one.setpoint ?? one.limit;
    return value === null ? [] : [{ at: at(one.start), value: Number(value) }];
  });
  const last = points.at(-1);
  return last ? [...points, { at: at(duration_s), value: last.value }] : [];
}

/** A number that no installed profile has. */
export function freeId(used: number[]): number { return Math.max(0, ...used) + 1; }
