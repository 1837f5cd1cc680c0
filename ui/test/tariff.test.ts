// Conditions of tariffs in words, units as people type them, and what to do about a refusal.
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Evidence } from '../src/api';

beforeAll(() => {
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
});
const tariff = () => import('../src/pages/operator/tariff');

describe('amounts as people type them', () => {
  it.each([['7.5', 7_500], ['7,5', 7_500], ['20', 20_000], ['0.001', 1], ['0', 0]])('%s is %s thousandths', async (text, whole) => {
    expect((await tariff()).thousandths(text)).toBe(whole);
  });
  it.each(['', 'x', '-1', '0.0005'])('%j is none', async (text) => {
    expect((await tariff()).thousandths(text)).toBeUndefined();
  });
  it.each([[7_500, '7.5'], [20_000, '20'], [1, '0.001'], [0, '0'], [undefined, '']])('%s is shown as %j', async (whole, text) => {
    expect((await tariff()).thousands(whole)).toBe(text);
  });
  it('minutes are kept as seconds', async () => {
    const { minutes, seconds } = await tariff();
    expect([seconds('30'), seconds('1.5'), seconds(''), seconds('-1')]).toEqual([1_800, 90, undefined, undefined]);
    expect([minutes(1_800), minutes(90), minutes(undefined)]).toEqual(['30', '1.50', '']);
  });
});

describe('conditions in words', () => {
  it('name every bound once', async () => {
    const { conditions } = await tariff();
    expect(conditions({ start_time: '22:00', end_time: '06:00', days: ['SUNDAY', 'MONDAY'], min_wh: 5_000, max_w: 11_000, min_duration_s: 3_600, max_duration_s: 7_200 }))
      .toEqual(['22:00 to 06:00', 'Mon, Sun', 'from 5 kWh delivered', 'until 11 kW of power', '60 min to 120 min of the session']);
    expect(conditions({})).toEqual([]);
  });
  it('tell whether there are any', async () => {
    const { restricted } = await tariff();
    expect([restricted(undefined), restricted({}), restricted({ days: [] }), restricted({ min_wh: 0 })]).toEqual([false, false, false, true]);
  });
});

describe('a refusal at the door', () => {
  it.each([
    [404, 'no station is enrolled under this identity', /Enrol a station/],
    [403, 'the station was retired; enrol it again to let it in', /retired/],
    [401, 'the connection is not encrypted (ws instead of wss), and danger_plain_ws is not set for this station', /wss/],
    [401, 'the station is enrolled for security profile 3 and presented no client certificate', /certificate/],
    [401, 'the client certificate is for serial number S2, the station is enrolled with serial number S1', /another station/],
    [401, "no HTTP Basic credentials; set the station's AuthorizationKey", /key/],
    [401, "the HTTP Basic user name is not the station's identity", /user name/],
    [401, 'the key is not the one of this station; rotate it or set it again', /new key/],
    [400, 'no Sec-WebSocket-Protocol was offered; wanted ocpp2.0.1 or ocpp1.6', /OCPP 1.6 JSON/],
    [401, 'client certificate refused: it has expired; renew it, or check the clocks', /anew/],
  ])('%s %s says what to do', async (_, reason, next) => {
    const { remedy } = await import('../src/pages/operator/refusal');
    expect(remedy(`The connection was refused with 401: ${reason}.`)).toMatch(next);
  });
  it('leaves the rest to the server', async () => {
    const { remedy } = await import('../src/pages/operator/refusal');
    expect(remedy('The connection was refused with 503: the memory is full.')).toBeNull();
  });
});

describe('the key of the register', () => {
  it('is used only where the provider has it from there', async () => {
    const { registeredKey } = await import('../src/verify/register');
    const evidence = (from: string): Evidence => ({ verdict: 'valid', remarks: [], detail: [['Key from', from], ['Public key', '3059']] });
    expect(registeredKey(evidence('register of the operator'))).toBe('3059');
    expect(registeredKey(evidence('came with the file'))).toBe('');
    expect(registeredKey(null)).toBe('');
  });
});
