// The operator's daily work without a browser: payloads against the schemas, profiles made of presets, device models as
// trees, campaigns counted.
import { describe, expect, it } from 'vitest';
import type { Campaign, CampaignStation, Told, Variable } from '../src/api.daily';
import { actionsOf, check, example, parsed } from '../src/expert/payload';
import { progress, waves } from '../src/pages/operator/campaign';
import { daysLeft } from '../src/pages/operator/certificates';
import { freeId, limit, profile, steps, type Wish } from '../src/pages/operator/charging';
import { renewed } from '../src/pages/operator/key';
import { severity, split, tree } from '../src/pages/operator/model';

const NOW = new Date('2026-11-22T10:00:00Z');

describe('payloads of the expert console', () => {
  it.each([['1.6', 26], ['2.0.1', 40], ['2.1', 55]])('every example of %s fits its own schema', async (version, count) => {
    const of = await actionsOf(version);
    if (!of) throw new Error('no schemas');
    const names = Object.keys(of.actions);
    expect(names.length).toBe(count);
    for (const all of [false, true]) {
      expect(names.flatMap((name) => check(of, name, example(of, name, all, NOW)).map((finding) => ({ name, ...finding })))).toEqual([]);
    }
  });
  it('knows which versions it has', async () => {
    expect(await actionsOf(null)).toBeNull();
    expect(await actionsOf('1.5')).toBe(await actionsOf('1.6'));
    expect(Object.keys((await actionsOf('2.0.1'))?.actions ?? {})).not.toContain('SetDERControl');
  });
  it.each([
    ['Reset', { type: 'Warm' }, '/type', 'must be one of: {words}'],
    ['Reset', {}, '/type', 'is missing'],
    ['Reset', { type: 'Soft', when: 1 }, '/when', 'is not a field of this message'],
    ['ReserveNow', { connectorId: '1', expiryDate: '2026-11-22T10:00:00Z', idTag: 'A', reservationId: 1 }, '/connectorId', 'must be {wanted}, is {found}'],
    ['ReserveNow', { connectorId: 1.5, expiryDate: '2026-11-22T10:00:00Z', idTag: 'A', reservationId: 1 }, '/connectorId', 'must be {wanted}, is {found}'],
    ['ReserveNow', { connectorId: 1, expiryDate: 'tomorrow', idTag: 'A', reservationId: 1 }, '/expiryDate', 'must be a time such as 2026-11-22T08:00:00Z'],
    ['ReserveNow', { connectorId: 1, expiryDate: '2026-11-22T10:00:00Z', idTag: 'A'.repeat(21), reservationId: 1 }, '/idTag', 'is longer than {n} characters'],
    ['SetChargingProfile', { connectorId: 1, csChargingProfiles: null }, '/csChargingProfiles', 'must be {wanted}, is {found}'],
  ])('%s %j: %s', async (action, payload, path, text) => {
    const of = await actionsOf('1.6');
    expect(of && check(of, action, payload)).toMatchObject([{ path, text }]);
  });
  it('names places inside lists and allows custom data', async () => {
    const of = await actionsOf('2.0.1');
    if (!of) throw new Error('no schemas');
    const payload = { getVariableData: [{ component: { name: 'A' }, variable: {}, customData: { vendorId: 'x' } }], customData: { vendorId: 'x' } };
    expect(check(of, 'GetVariables', payload)).toMatchObject([{ path: '/getVariableData/0/variable/name', text: 'is missing' }]);
    expect(check(of, 'GetVariables', { getVariableData: [] })).toMatchObject([{ path: '/getVariableData', text: 'needs at least {n} of them' }]);
  });
  it('tells text that is no object', () => {
    expect(parsed('{"a":').finding?.text).toBe('This is no JSON: {why}');
    expect(parsed('[1]').finding?.text).toBe('A payload is an object: {…}.');
    expect(parsed('{"a":1}').value).toEqual({ a: 1 });
  });
});

describe('charging profiles', () => {
  const wish: Wish = { preset: 'point_limit', id: 3, level: 1, unit: 'A', limit: '16', low: '6', hours: '2', from: '22:00', until: '06:00' };
  const made = (change: Partial<Wish>) => {
    const one = profile({ ...wish, ...change }, NOW);
    if ('wrong' in one) throw new Error(one.wrong);
    return one.profile;
  };
  it.each([['7.4', 'W', '7400'], ['7,4', 'W', '7400'], ['0.1', 'W', '100'], ['16', 'A', '16'], ['15.5', 'A', '15.5'], ['-1', 'A', null], ['', 'W', null], ['1e3', 'W', null]] as const)(
    '%s in %s is %s', (text, unit, exact) => expect(limit(text, unit)).toBe(exact));
  it('a limit for hours ends by itself, one without does not', () => {
    expect(made({})).toMatchObject({ id: 3, stack_level: 1, purpose: 'default', valid_until: '2026-11-22T12:00:00.000Z' });
    expect(made({ hours: '' }).valid_until).toBeUndefined();
    expect(made({ preset: 'station_limit' })).toMatchObject({ purpose: 'station_max', schedules: [{ periods: [{ start: 0, limit: '16' }] }] });
    expect(made({ preset: 'pause', limit: '' }).schedules[0]?.periods).toEqual([{ start: 0, limit: '0' }]);
  });
  it('hours of the day go round midnight', () => {
    const periods = (from: string, until: string) => made({ preset: 'night', from, until }).schedules[0]?.periods.map(({ start, limit: most }) => [start / 3600, most]);
    expect(periods('22:00', '06:00')).toEqual([[0, '16'], [6, '6'], [22, '16']]);
    expect(periods('06:00', '22:00')).toEqual([[0, '6'], [6, '16'], [22, '6']]);
    expect(periods('00:00', '06:00')).toEqual([[0, '16'], [6, '6']]);
    expect(periods('22:00', '00:00')).toEqual([[0, '6'], [22, '16']]);
  });
  it('says which field is wrong', () => {
    const wrong = (change: Partial<Wish>) => profile({ ...wish, ...change }, NOW);
    expect(wrong({ limit: 'much' })).toEqual({ wrong: 'limit' });
    expect(wrong({ hours: '-2' })).toEqual({ wrong: 'hours' });
    expect(wrong({ preset: 'night', until: '22:00' })).toEqual({ wrong: 'until' });
    expect(wrong({ preset: 'night', from: '25:00' })).toEqual({ wrong: 'from' });
  });
  it('a composite schedule becomes steps up to its end', () => {
    const period = { phases: null, discharge_limit: null, setpoint: null };
    const points = steps({ evse: null, start: '2026-11-22T10:00:00Z', duration_s: 3600, unit: 'A', periods: [{ ...period, start: 0, limit: '16' }, { ...period, start: 600, limit: null }, { ...period, start: 1800, limit: '6' }] });
    expect(points.map(({ at, value }) => [at.slice(11, 16), value])).toEqual([['10:00', 16], ['10:30', 6], ['11:00', 6]]);
    expect(steps({ evse: null, start: '2026-11-22T10:00:00Z', duration_s: 60, unit: 'W', periods: [] })).toEqual([]);
  });
  it('finds a free number', () => { expect([freeId([]), freeId([4, 2])]).toEqual([1, 5]); });
});

describe('device models', () => {
  const variable = (name: string, attribute = 'Actual'): Variable => ({ name, attribute, value: '1', read_only: false, write_only: false, persistent: false, characteristics: null, told: NOW.toISOString() });
  it('splits names outside of brackets', () => {
    expect(split('EVSE[a.b].Power[x]')).toEqual(['EVSE[a.b]', 'Power[x]']);
    expect(split('1.1/Connector.AvailabilityState')).toEqual(['1.1/Connector', 'AvailabilityState']);
    expect(split('2/EVSE.Power[x]')).toEqual(['2/EVSE', 'Power[x]']);
    expect(split('Alone')).toEqual(['', 'Alone']);
  });
  it('gathers attributes under variables under components', () => {
    const [first, second] = tree([variable('Z.B'), variable('A.C'), variable('A.B', 'MaxSet'), variable('A.B')]);
    expect([first?.component, second?.component]).toEqual(['A', 'Z']);
    expect(first?.variables.map(({ name, attributes }) => [name, attributes.length])).toEqual([['B', 2], ['C', 1]]);
  });
  it('colours severities', () => {
    expect([0, 4, 5, 6, 7, 8, 9].map((of) => severity(of)?.tone)).toEqual(['bad', 'bad', 'warn', 'warn', 'busy', 'plain', 'plain']);
    expect(severity(null)).toBeNull();
  });
});

describe('campaigns and certificates', () => {
  const member = (station: string, wave: number, state: CampaignStation['state']): CampaignStation => ({ station, wave, state, status: null, changed: '' });
  it('counts waves', () => {
    const stations = [member('A', 1, 'done'), member('B', 1, 'refused'), member('C', 2, 'going'), member('D', 2, 'waiting')];
    expect(progress(stations)).toEqual({ total: 4, done: 1, failed: 1, going: 1, waiting: 1 });
    expect(waves({ stations } as Campaign).map(({ wave, progress: of }) => [wave, of.total, of.done])).toEqual([[1, 2, 1], [2, 2, 0]]);
  });
  it('counts days', () => {
    expect(daysLeft('2026-11-24T10:00:00Z', NOW.getTime())).toBe(2);
    expect(daysLeft('2026-11-22T09:59:59Z', NOW.getTime())).toBe(-1);
    expect(daysLeft(null, NOW.getTime())).toBeNull();
  });
});

describe('a key that a station was sent', () => {
  const said = (outcome: Told['outcome'], result?: string) => renewed({ outcome, message: '', ...(result ? { written: [{ key: 'AuthorizationKey', result }] } : {}) });
  it.each([
    [said('accepted', 'accepted'), 'has'], [said('accepted', 'after_reboot'), 'soon'], [said('refused', 'rejected'), 'refused'],
    [said('refused', 'unknown'), 'refused'], [said('not_connected'), 'refused'], [said('timed_out'), 'unsure'], [said('error'), 'unsure'], [said('accepted'), 'unsure'],
  ])('is told as what it is: %s is %s', (what, wanted) => { expect(what).toBe(wanted); });
});
