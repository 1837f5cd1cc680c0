// How figures look, and the order of prices before a start.
import { beforeAll, describe, expect, it, vi } from 'vitest';

beforeAll(() => {
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
});
const format = () => import('../src/format');

describe('exact decimals', () => {
  it('subtracts without losing a digit', async () => {
    const { exact, minus, print, shift } = await import('../src/exact');
    expect(print(minus(exact('2948.0550')!, exact('2935.6')!))).toBe('12.4550');
    expect(print(minus(exact('0.1')!, exact('0.3')!))).toBe('-0.2');
    expect(print(shift(exact('1350')!, 3))).toBe('1.350');
    expect(print(exact('12E2')!)).toBe('1200');
    expect(exact('1,5')).toBeNull();
    expect(exact('9'.repeat(40))).toBeNull();
  });
});

describe('figures', () => {
  it.each([[0, '0\u00a0Wh'], [999, '999\u00a0Wh'], [12_455, '12.46\u00a0kWh'], [2_500_000, '2.50\u00a0MWh'], [null, '–']])('%s Wh', async (wh, shown) => {
    expect((await format()).energy(wh)).toBe(shown);
  });
  it.each([['12.3', '€12.30'], ['0.495', '€0.495'], ['-1234567.5', '-€1,234,567.50'], ['90071992547409931.01', '€90,071,992,547,409,931.01']])('%s EUR', async (amount, shown) => {
    expect((await format()).money({ amount, currency: 'EUR' })).toBe(shown);
  });
  it('a currency without a sign stands behind', async () => {
    expect((await format()).money({ amount: '5', currency: 'CHF' })).toBe('5.00\u00a0CHF');
  });
  it.each([['2026-11-22T10:00:00Z', '2026-11-22T10:59:59Z', '59 min'], ['2026-11-22T10:00:00Z', '2026-11-22T12:05:00Z', '2 h 05 min'], ['2026-11-20T10:00:00Z', '2026-11-22T12:00:00Z', '2 d 2 h'], ['2026-11-22T10:00:00Z', '2026-11-22T09:00:00Z', '0 min']])('from %s to %s', async (from, to, shown) => {
    expect((await format()).duration(from, to)).toBe(shown);
  });
  it.each([['0.116666666667', 'h', '7 min'], ['0.110833333333', 'h', '6 min 39 s'], ['1.75', 'h', '1 h 45 min'], ['2.332', 'kWh', '2.332 kWh'], ['1', 'session', '1.00 session']])('%s %s', async (text, unit, shown) => {
    expect((await format()).quantity(text, unit)).toBe(shown);
  });
});

describe('prices before the start (EU 2023/1804, 5(4))', () => {
  it('stand per kWh, per minute, per session, other', async () => {
    const { ordered } = await import('../src/pages/drive/offers');
    const offer = (label: string) => ({ label, gross: '1', currency: 'EUR' });
    const labels = ['reservation', 'per session', 'per minute after 4 hours', 'per kWh', 'per minute'];
    expect(ordered(labels.map(offer)).map(({ label }) => label))
      .toEqual(['per kWh', 'per minute after 4 hours', 'per minute', 'per session', 'reservation']);
  });
});
