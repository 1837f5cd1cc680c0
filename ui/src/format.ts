// How numbers and times look. Units stand beside every number; times are in the viewer's zone and say which. Money is
// formatted from its decimal text, never through a float.
import type { Money, Time } from './api';
import { exact, print } from './exact';
import { language } from './i18n.svelte';

export const NOTHING = '–';

/** Below 1 kWh in Wh, above in kWh with the precision a bill shows. */
export function energy(wh: number | null | undefined): string {
  if (wh === null || wh === undefined) return NOTHING;
  if (Math.abs(wh) >= 1_000_000) return `${number(wh / 1_000_000, 2)}\u00a0MWh`;
  return Math.abs(wh) >= 1_000 ? `${number(wh / 1_000, 2)}\u00a0kWh` : `${number(wh, 0)}\u00a0Wh`;
}

export function power(w: number | null | undefined): string {
  if (w === null || w === undefined) return NOTHING;
  if (Math.abs(w) >= 1_000_000) return `${number(w / 1_000_000, 2)}\u00a0MW`;
  return Math.abs(w) >= 1_000 ? `${number(w / 1_000, 1)}\u00a0kW` : `${number(w, 0)}\u00a0W`;
}

export function current(a: number): string {
  return `${new Intl.NumberFormat(language.locale, { maximumFractionDigits: 1 }).format(a)}\u00a0A`;
}

export function bytes(count: number): string {
  if (count >= 1_048_576) return `${number(count / 1_048_576, 1)}\u00a0MiB`;
  return count >= 1_024 ? `${number(count / 1_024, 1)}\u00a0KiB` : `${count}\u00a0B`;
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NOTHING : number(value, 0);
}

function number(value: number, decimals: number): string {
  return new Intl.NumberFormat(language.locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);
}

/** At least two decimals; further ones are kept (a price may be 0.495). */
export function amount(text: string): string {
  const value = exact(text);
  if (!value) return text;
  const [whole = '0', part = ''] = print(value).split('.');
  const cut = part.replace(/0+$/, '').padEnd(2, '0');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, language.now === 'de' ? '.' : ',');
  return grouped + (language.now === 'de' ? ',' : '.') + cut;
}

const SIGNS: Record<string, string> = { EUR: '€', GBP: '£', USD: '$' };

export function currencySign(currency: string): string { return SIGNS[currency] ?? currency; }

export function money(value: Money | null | undefined): string {
  if (!value) return NOTHING;
  const sign = currencySign(value.currency);
  const text = amount(value.amount);
  if (language.now === 'de' || sign.length > 1) return `${text}\u00a0${sign}`;
  return text.startsWith('-') ? `-${sign}${text.slice(1)}` : sign + text;
}

/** Lines of a bill carry money or bare decimal text; the bill's currency fills the gap. */
export function moneyOf(value: Money | string, currency: string): string {
  return typeof value === 'string' ? money({ amount: value, currency }) : money(value);
}

export function dateTime(at: Time | null | undefined, options: Intl.DateTimeFormatOptions = {}): string {
  const date = parse(at);
  if (!date) return NOTHING;
  return new Intl.DateTimeFormat(language.locale, {
    day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', ...options,
  }).format(date);
}

export function fullTime(at: Time | null | undefined): string {
  return dateTime(at, { year: 'numeric', second: '2-digit', timeZoneName: 'short' });
}

export function clock(at: Time | null | undefined): string {
  const date = parse(at);
  if (!date) return NOTHING;
  return new Intl.DateTimeFormat(language.locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(date);
}

/** Where seconds would only be noise. */
export function hour(at: Time | null | undefined): string {
  const date = parse(at);
  if (!date) return NOTHING;
  return new Intl.DateTimeFormat(language.locale, { hour: '2-digit', minute: '2-digit' }).format(date);
}

export function day(at: Time | null | undefined): string {
  const date = parse(at);
  if (!date) return NOTHING;
  return new Intl.DateTimeFormat(language.locale, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).format(date);
}

export function month(text: string): string {
  const date = parse(`${text.slice(0, 7)}-15T12:00:00Z`);
  if (!date) return text;
  return new Intl.DateTimeFormat(language.locale, { month: 'long', year: 'numeric' }).format(date);
}

export function duration(from: Time | null | undefined, to: Time | number | null | undefined): string {
  const start = parse(from)?.getTime();
  const end = typeof to === 'number' ? to : parse(to)?.getTime();
  if (start === undefined || end === undefined) return NOTHING;
  const minutes = Math.max(0, Math.floor((end - start) / 60_000));
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return hours > 0 ? `${hours} h ${String(minutes % 60).padStart(2, '0')} min` : `${minutes} min`;
}

/** How much of something was used. Hours are priced to the second; people read minutes. */
export function quantity(text: string, unit: string): string {
  const seconds = unit === 'h' ? Math.round(Number(text) * 3600) : Number.NaN;
  if (!Number.isSafeInteger(seconds) || seconds < 0) return `${amount(text)} ${unit}`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number) => (hours > 0 ? String(part).padStart(2, '0') : String(part));
  return [hours > 0 && `${hours} h`, `${two(minutes)} min`, rest > 0 && `${String(rest).padStart(2, '0')} s`].filter(Boolean).join(' ');
}

/** The zone every time on the page is in, e.g. "Europe/Berlin (GMT+1)". */
export function zone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const part = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' })
    .formatToParts(new Date()).find(({ type }) => type === 'timeZoneName');
  return part && part.value !== timeZone ? `${timeZone} (${part.value})` : timeZone;
}

function parse(at: Time | null | undefined): Date | null {
  if (!at) return null;
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? null : date;
}
