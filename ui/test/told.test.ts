// Sentences of the server that have a part of their own in them, in German.
import { beforeAll, describe, expect, it, vi } from 'vitest';

let told: typeof import('../src/told');
// all dictionaries are read here, once: on a busy machine that takes longer than a test may
beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('localStorage', { getItem: () => 'de', setItem: () => undefined });
  told = await import('../src/told');
}, 60_000);

describe('what a price is for', () => {
  it.each([
    ['per kWh', 'pro kWh'],
    ['per minute, from 18:00 until 22:00', 'pro Minute, von 18:00 bis 22:00'],
    ['per minute connected without charging, from 240 min of the session', 'pro Minute, die das Auto nach dem Laden noch steckt, ab 240 min nach Beginn'],
    ['per kWh, until 10 kWh delivered, on Monday, Sunday', 'pro kWh, bis 10 kWh geladen, am Montag, Sonntag'],
    ['per kWh, from 11 kW until 50 kW of power', 'pro kWh, von 11 kW bis 50 kW Leistung'],
  ])('%s', (label, german) => { expect(told.priceLabel(label)).toBe(german); });
});

describe('reasons', () => {
  it.each([
    ['This charging point is not free: a session is running there.', 'Dieser Ladepunkt ist nicht frei: dort läuft ein Ladevorgang.'],
    ['The station did not start. It was told to, and the station answered Rejected.', 'Die Station hat nicht gestartet: die Station hat Zurückgewiesen geantwortet.'],
    ['The amount is too small: 5 EUR is the smallest.', 'Der Betrag ist zu klein: 5 EUR ist der kleinste.'],
    ['the payment provider cannot be reached', 'Der Zahlungsdienst ist nicht erreichbar.'],
    ['Nobody wrote German for this', 'Nobody wrote German for this.'],
  ])('%s', (text, german) => { expect(told.sentence(text)).toBe(german); });
});
