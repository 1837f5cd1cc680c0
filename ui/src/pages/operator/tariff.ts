// What the pages know of tariffs: conditions in words, and the units that people type. Numbers stay exact decimal text.
import type { Dimension, Restrictions } from '../../api';
import { exact, print, shift } from '../../exact';
import { t } from '../../i18n.svelte';

export const UNITS: Record<Dimension, string> = {
  ENERGY: 'per kWh', TIME: 'per hour of charging', FLAT: 'per session', PARKING_TIME: 'per hour of parking',
};
export const DAYS: [code: string, short: string][] = [
  ['MONDAY', 'Mon'], ['TUESDAY', 'Tue'], ['WEDNESDAY', 'Wed'], ['THURSDAY', 'Thu'], ['FRIDAY', 'Fri'], ['SATURDAY', 'Sat'], ['SUNDAY', 'Sun'],
];
const SECONDS_PER_MINUTE = 60;

/** Whole thousandths of what was typed ("7.5" kWh is 7500 Wh); nothing where it is no such number. */
export function thousandths(text: string): number | undefined {
  const value = exact(text.replace(',', '.'));
  if (!value || value.digits < 0n) return undefined;
  const [whole = '', part = ''] = print(shift(value, -3)).split('.');
  const number = Number(whole);
  return /^0*$/.test(part) && Number.isSafeInteger(number) ? number : undefined;
}

/** The way back: 7500 is "7.5". */
export function thousands(value: number | undefined): string {
  if (value === undefined) return '';
  const text = print(shift({ digits: BigInt(value), scale: 0 }, 3));
  return text.replace(/0+$/, '').replace(/\.$/, '');
}

export function minutes(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return seconds % SECONDS_PER_MINUTE === 0 ? String(seconds / SECONDS_PER_MINUTE) : (seconds / SECONDS_PER_MINUTE).toFixed(2);
}

export function seconds(text: string): number | undefined {
  const value = Number(text.replace(',', '.'));
  return text.trim() && Number.isFinite(value) && value >= 0 ? Math.round(value * SECONDS_PER_MINUTE) : undefined;
}

export function restricted(rules: Restrictions | undefined): boolean {
  return Object.values(rules ?? {}).some((value) => (Array.isArray(value) ? value.length > 0 : value !== undefined && value !== ''));
}

/** The conditions of an element, each as words of its own. */
export function conditions(rules: Restrictions): string[] {
  const between = (from: string, until: string, what: string): string[] => {
    if (from && until) return [t('{from} to {until}', { from, until }) + what];
    if (from) return [t('from {from}', { from }) + what];
    return until ? [t('until {until}', { until }) + what] : [];
  };
  const unit = (text: string, sign: string) => (text ? `${text} ${sign}` : '');
  const all = rules.days?.length ?? 0;
  const days = DAYS.filter(([code]) => rules.days?.includes(code)).map(([, short]) => t(short));
  return [
    ...between(rules.start_time ?? '', rules.end_time ?? '', ''),
    ...(all > 0 ? [days.join(', ')] : []),
    ...between(rules.start_date ?? '', rules.end_date ?? '', ''),
    ...between(unit(thousands(rules.min_wh), 'kWh'), unit(thousands(rules.max_wh), 'kWh'), ` ${t('delivered')}`),
    ...between(unit(thousands(rules.min_w), 'kW'), unit(thousands(rules.max_w), 'kW'), ` ${t('of power')}`),
    ...between(unit(minutes(rules.min_duration_s), 'min'), unit(minutes(rules.max_duration_s), 'min'), ` ${t('of the session')}`),
  ];
}
