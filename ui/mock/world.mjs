// A plausible small network for looking at the pages without a server: stations, sessions that run, records signed by
// generated keys. Nothing of it is built into the product.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { meter, payload, reading, record, safeXml } from './ocmf.mjs';

const TOWNS = [
  ['Freiburg im Breisgau', '79098', 47.995, 7.85], ['Karlsruhe', '76133', 49.009, 8.404], ['Mannheim', '68159', 49.487, 8.466],
  ['Heidelberg', '69115', 49.403, 8.675], ['Stuttgart', '70173', 48.778, 9.18], ['Ulm', '89073', 48.4, 9.99],
  ['München', '80331', 48.137, 11.575], ['Nürnberg', '90402', 49.452, 11.077], ['Leipzig', '04109', 51.34, 12.375], ['Berlin', '10115', 52.53, 13.385],
];
const STREETS = ['Bahnhofstraße 1', 'Am Rathaus 4', 'Hafenweg 12', 'Schulgasse 3', 'Messeplatz 2'];
const MODELS = [['KEBA', 'P30 x', '1.6'], ['Compleo', 'eTower 200', '2.0.1'], ['Alpitronic', 'HYC150', '1.6'], ['Leyden', 'virtual', '2.1']];
export const now = () => new Date().toISOString();
export const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const id = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12);
const eur = (amount) => ({ amount: amount.toFixed(2), currency: 'EUR' });
export const key = meter();

export const parties = [
  { slug: 'operator', role: 'operator', name: 'Voltwerk', party: 'DE-VLT' }, { slug: 'hub', role: 'hub', name: 'Kreuzpunkt', party: 'DE-KRP' },
  { slug: 'morgen', role: 'provider', name: 'Morgenstrom', party: 'DE-MGS' }, { slug: 'nordlicht', role: 'provider', name: 'Nordlicht Mobil', party: 'DE-NLM' },
];
export const tariffs = [
  { id: 'AC-STANDARD', currency: 'EUR', text: '0.58 € per kWh, 0.10 € per minute after four hours', last_updated: ago(9000), used_by: 28, elements: [
    { components: [{ kind: 'ENERGY', price: '0.487395', vat: '19', step: 1 }] }, { components: [{ kind: 'PARKING_TIME', price: '5.0420', vat: '19', step: 60 }], restrictions: { min_duration: 14400 } }] },
  { id: 'DC-FAST', currency: 'EUR', text: '0.69 € per kWh', last_updated: ago(20000), used_by: 12, elements: [{ components: [{ kind: 'ENERGY', price: '0.579832', vat: '19', step: 1 }] }] },
];
const offers = (dc) => dc ? [{ label: 'per kWh', gross: '0.69', currency: 'EUR' }]
  : [{ label: 'per session', gross: '0.35', currency: 'EUR' }, { label: 'per kWh', gross: '0.58', currency: 'EUR' }, { label: 'per minute after 4 hours', gross: '0.10', currency: 'EUR' }];

export const stations = Array.from({ length: 20 }, (_, index) => {
  const [city, , lat, lon] = TOWNS[index % TOWNS.length];
  const [vendor, model, ocpp] = MODELS[index % MODELS.length];
  const connected = index !== 7;
  return {
    id: `VLT-${String(index + 1).padStart(4, '0')}`, vendor, model, firmware: `1.${index % 5}.${index % 3}`, serial: `SN${10000 + index * 37}`,
    ocpp: connected ? ocpp : null, connected, since: connected ? ago(300 + index * 11) : null, last_seen: ago(connected ? 0.2 : 95), profile: index % 5 === 0 ? 2 : 3,
    location: { id: `LOC${index + 1}`, name: `${city} ${['Bahnhof', 'Rathaus', 'Hafen', 'Schule', 'Messe'][index % 5]}`, city }, lat: lat + (index > 9 ? 0.02 : 0), lon: lon + (index > 9 ? 0.03 : 0),
    address: `${STREETS[index % 5]}, ${city}`, warnings: index === 3 ? ['The clock is 94 s behind'] : index === 7 ? ['Not seen for more than an hour'] : [],
    evses: [1, 2].map((no) => ({ no, uid: `${index + 1}-${no}`, evse_id: `DE*VLT*E${String(index + 1).padStart(4, '0')}*${no}`, state: 'Available', fault: null, status: 'AVAILABLE', session: null, power_w: 0 })),
  };
});
stations[5].evses[1] = { ...stations[5].evses[1], state: 'Faulted', status: 'OUTOFORDER', fault: 'GroundFailure: earth leakage above 30 mA' };
stations[7].evses.forEach((evse) => Object.assign(evse, { state: 'Unavailable', status: 'UNKNOWN' }));

export const sessions = [];
export function startSession(station, evse, minutes, provider = sessions.length % 2 ? 'DE-NLM' : 'DE-MGS') {
  const peak = station.model === 'HYC150' ? 96_000 : 11_000;
  const one = { id: id(`session ${sessions.length}`), station: station.id, evse: evse.evse_id, location: station.location.name, start: ago(minutes), end: null, state: 'active', peak, provider,
    token: 'known to the provider', flags: [], curve: [], energy_wh: 0, power_w: 0, place: { name: station.location.name, address: station.address.split(',')[0], city: station.location.city } };
  for (let at = minutes; at > 0; at -= 1) step(one, ago(at));
  sessions.unshift(one);
  Object.assign(evse, { state: 'Charging', status: 'CHARGING', session: one.id, power_w: one.power_w });
  return one;
}
export function step(one, at = now()) {
  const n = one.curve.length;
  one.power_w = Math.round(one.peak * Math.min(1, 0.25 + n / 4) * (n > 30 ? Math.max(0.12, 1 - (n - 30) / 45) : 1) * (0.985 + 0.03 * Math.abs(Math.sin(n * 1.7))));
  one.energy_wh += Math.round(one.power_w / 60);
  one.curve.push({ at, power_w: one.power_w, energy_wh: one.energy_wh });
}
export function endSession(one, at = now()) {
  Object.assign(one, { end: at, state: 'closed', power_w: 0 });
  one.curve.push({ at, power_w: 0, energy_wh: one.energy_wh });
  for (const evse of stations.flatMap(({ evses }) => evses)) if (evse.session === one.id) Object.assign(evse, { state: 'Available', status: 'AVAILABLE', session: null, power_w: 0 });
}
for (let index = 0; index < 26; index += 1) {
  const station = stations[(index * 3) % 20];
  const one = startSession(station, station.evses[index % 2], 40 + ((index * 13) % 50));
  const shift = (26 - index) * 210 * 60_000;
  for (const sample of one.curve) sample.at = new Date(Date.parse(sample.at) - shift).toISOString();
  one.start = new Date(Date.parse(one.start) - shift).toISOString();
  endSession(one, one.curve.at(-1).at);
}
[[0, 0, 34], [2, 1, 18], [4, 0, 61], [9, 1, 7], [10, 0, 44], [13, 1, 25], [16, 0, 12]].forEach(([s, e, minutes]) => startSession(stations[s], stations[s].evses[e], minutes));
sessions[12].flags = ['The register fell by 0.4 kWh; the reading was flagged and is not billed'];

export function cost(one) { return eur((one.energy_wh / 1000) * 0.58); }
export function lines(one) {
  return one.energy_wh ? [{ text: 'Energy, 0.58 € per kWh', quantity: (one.energy_wh / 1000).toFixed(3), unit: 'kWh', amount: cost(one) }] : [];
}
export function xml(one) {
  const begin = 2935.6;
  const ends = (begin + one.energy_wh / 1000).toFixed(3);
  const text = payload([reading(new Date(one.start), 'B', begin.toFixed(3)), reading(new Date(one.end ?? now()), 'E', ends)], { CI: one.evse });
  return safeXml([record(key, text)], key);
}
export function evidence(one) {
  if (!one.end) return null;
  const odd = one.flags.length > 0;
  return { verdict: odd ? 'valid with remarks' : 'valid', remarks: odd ? ["the meter's clock is only informative: time may not be billed by it"] : [],
    detail: [['Energy', `${(one.energy_wh / 1000).toFixed(3)} kWh`], ['Register at begin', '2935.600 kWh'], ['Meter serial', 'LEY0000007'], ['Pages', 'T1'], ['Key', 'register of the operator'], ['Key fingerprint', createHash('sha256').update(key.spki).digest('hex')]] };
}
export const learned = [
  { party: 'DE-VLT', role: 'operator', fields: ['contract id (one-time)', 'provider', 'place', 'time', 'energy'] }, { party: 'DE-KRP', role: 'hub', fields: ['route', 'size of messages'] },
  { party: 'DE-MGS', role: 'provider', fields: ['who', 'operator', 'place', 'time', 'energy', 'price'] }, { party: 'DE-VLT', role: 'station', fields: ['alias (20 characters, 120 s)', 'time', 'energy'] },
];

/** The real register, if it lies beside the project: the map must cope with all of it. */
export const places = stations.map((one) => ({ location: one.location.id, name: one.location.name, address: one.address.split(',')[0], city: one.location.city, lat: one.lat, lon: one.lon, available: 2, total: 2, max_power_w: one.model === 'HYC150' ? 150000 : 22000, operator: 'DE-VLT' }));
const register = new URL('../../../shared/data/poi/bnetza-ladesaeulenregister-2019-07-19.csv', import.meta.url);
if (existsSync(register)) {
  readFileSync(register, 'utf8').split(/\r?\n/).slice(1).forEach((row, index) => {
    const [operator, address, town, , lon, lat, , kw, , points] = row.split(';');
    if (!Number(lon) || !Number(lat)) return;
    const total = Number(points) || 1;
    places.push({ location: `B${index}`, name: operator.slice(0, 40), address, city: (town ?? '').slice(6), lat: Number(lat), lon: Number(lon), available: (index * 7) % (total + 1), total, max_power_w: Math.round(Number(String(kw).replace(',', '.')) * 1000) || null, operator: 'DE-BNA' });
  });
}
export function place(operator, location) {
  const one = places.find((p) => p.operator === operator && p.location === location);
  if (!one) return null;
  const station = stations.find((s) => s.location.id === location);
  const dc = (one.max_power_w ?? 0) >= 50_000;
  const evses = station?.evses ?? Array.from({ length: one.total }, (_, index) => ({ uid: `${location}-${index}`, evse_id: null, status: index < one.available ? 'AVAILABLE' : 'CHARGING' }));
  return { ...one, evses: evses.map(({ uid, evse_id, status }) => ({ uid, evse_id, status, connectors: [{ plug: dc ? 'IEC_62196_T2_COMBO' : 'IEC_62196_T2', power_w: one.max_power_w, current: dc ? 'DC' : 'AC_3_PHASE' }], tariff: { id: dc ? 'DC-FAST' : 'AC-STANDARD', stamp: 'v1', text: null, offers: offers(dc) } })) };
}
