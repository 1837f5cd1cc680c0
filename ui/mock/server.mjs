// The contract of /api served from memory, for screenshots and for work on the pages: `npm run build && npm run mock`.
// Serves dist under the product's strict policy, so that a violation shows here first. Any user name and password work
// (`wrong` is refused); what is written lives until the process ends. Never part of the product.
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bookings, bookingsOf } from './bookings.mjs';
import { daily } from './daily.mjs';
import { pay } from './pay.mjs';
import { registrationOf } from './registration.mjs';
import * as w from './world.mjs';

const PORT = Number(process.env.PORT ?? 8799);
const DIST = process.env.DIST ?? fileURLToPath(new URL('../dist', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json' };
const listeners = new Set();
const signedIn = new Map();
const orders = new Map(), limits = new Map(), looks = new Map();
const cards = [{ id: 'c1', label: 'Key ring', masked: '04 ·· ·· ·· ·· 9C', blocked: false, driver: 'u0' }, { id: 'c2', label: 'Wallet', masked: '04 ·· ·· ·· ·· 1F', blocked: true, driver: 'u0' }];
const keys = [{ id: 1, name: 'Grafana', scopes: ['stations:read', 'sessions:read'], created: w.ago(9999), last_used: w.ago(3) }];
const users = [{ id: 1, user: 'mira', name: 'Mira Sommer', role: 'admin', created: w.ago(9999) }, { id: 2, user: 'jonas', name: 'Jonas Feld', role: 'viewer', created: w.ago(999) }];
const disputes = [{ id: 'd1', cdr: 'VLT-CDR-000117', operator: 'DE-VLT', raised: w.ago(260), state: 'open', settled: null, settled_by: null, differences: [{ path: '/total_cost/excl_vat', theirs: '11.92', ours: '10.87' }, { path: '/charging_periods/1/tariff_id', theirs: 'DC-FAST', ours: 'AC-STANDARD' }] }];
const history = Array.from({ length: 96 }, (_, i) => ({ at: w.ago((96 - i) * 15), power_w: Math.round(60_000 + 55_000 * Math.sin(i / 11) ** 2 + 30_000 * Math.abs(Math.sin(i * 1.3))) }));
const settings = [['HeartbeatInterval', '300'], ['MeterValueSampleInterval', '60'], ['AuthorizeRemoteTxRequests', 'false'], ['ConnectionTimeOut', '60'], ['SecurityProfile', '3', true], ['NumberOfConnectors', '2', true], ['AuthorizationKey', '(masked)'], ['StopTransactionOnInvalidId', 'true'], ['WebSocketPingInterval', '30'], ['LocalPreAuthorize', 'false']].map(([key, value, read_only = false]) => ({ key, value, read_only }));
const invoice = () => {
  const mine = w.sessions.filter((s) => s.end && s.provider === 'DE-MGS').slice(0, 6);
  const net = mine.map((s) => Math.round(((s.energy_wh / 1000) * 0.58 / 1.19) * 100) / 100);
  const sum = net.reduce((a, b) => a + b, 0);
  const vat = Math.round(sum * 19) / 100;
  return { id: 'i2', number: null, month: '2026-11', state: 'open', driver: 'u0', seller: 'Morgenstrom GmbH, DEU, VAT id DE123456789', total: { amount: (sum + vat).toFixed(2), currency: 'EUR' },
    lines: mine.map((s, i) => ({ text: `${s.place.name}, ${s.start.slice(0, 10)}`, quantity: (s.energy_wh / 1000).toFixed(3), unit: 'kWh', net: net[i].toFixed(2), vat_percent: '19', session: s.id })),
    vat: [{ percent: '19', net: sum.toFixed(2), vat: vat.toFixed(2), gross: (sum + vat).toFixed(2) }] };
};
const invoices = () => [invoice(), { ...invoice(), id: 'i1', number: 'MGS-2026-000041', month: '2026-10', state: 'issued' }];

const cdrs = () => w.sessions.filter((s) => s.end).map((s, i) => ({ id: `VLT-CDR-${String(120 - i).padStart(6, '0')}`, session: s.id, start: s.start, end: s.end, energy_wh: s.energy_wh, total: w.cost(s), net: { amount: (s.energy_wh / 1000 * 0.4874).toFixed(2), currency: 'EUR' }, provider: s.provider, operator: 'DE-VLT', state: i === 0 ? 'waiting' : 'delivered', attempts: i === 0 ? 2 : 1, delivered_at: i === 0 ? null : s.end, no: String(i), driver: 'u0', credit: false, verdict: i % 9 === 4 ? 'valid with remarks' : 'valid', dispute: i === 3 ? 'd1' : null, dispute_state: i === 3 ? 'open' : null }));
const forOperator = ({ curve, peak, place, ...s }) => ({ ...s, cost: w.cost(s) });
const forDriver = (s) => ({ id: s.id, place: s.place, evse_id: s.evse, start: s.start, end: s.end, state: s.state, energy_wh: s.energy_wh, power_w: s.power_w, cost: w.cost(s), verdict: w.evidence(s)?.verdict ?? null });
const mine = () => w.sessions.filter((s) => s.provider === 'DE-MGS' && (s.end || s.driver));
const detail = (s) => ({ curve: s.curve, lines: w.lines(s), evidence: w.evidence(s) });
const list = (all, q = new URLSearchParams()) => ({ items: all.slice(0, Number(q.get('limit') ?? 1000)), total: all.length, next: null });
const log = (id) => Array.from({ length: 14 }, (_, i) => [
  { direction: 'from', action: 'MeterValues', text: `[2,"${900 - i}","MeterValues",{"connectorId":1,"transactionId":7712,"meterValue":[{"timestamp":"${w.ago(i)}","sampledValue":[{"value":"${12040 - i * 180}","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}]`, remarks: i === 3 ? ['unit was missing; Wh is assumed (1.6, 7.31)'] : [] },
  { direction: 'to', action: 'MeterValues', text: `[3,"${900 - i}",{}]`, remarks: [] }].map((l) => ({ at: w.ago(i), ...l }))).flat();

const operator = {
  ...registrationOf(true),
  ...daily,
  ...bookings,
  ...pay,
  'GET overview': () => ({ stations: { total: 20, connected: 19, faulted: 1 }, evses: { available: 29, charging: 7, faulted: 1, other: 3 }, sessions: { active: w.sessions.filter((s) => !s.end).length, today: 23, energy_today_wh: 412_870 }, cdrs: { waiting: 1, delivered_today: 16 }, power_now_w: w.sessions.reduce((sum, s) => sum + (s.end ? 0 : s.power_w), 0), alarms: 1, refusals_today: 3, power_history: history }),
  'GET stations': (_, q) => list(w.stations.filter((s) => JSON.stringify(s).toLowerCase().includes((q.get('query') ?? '').toLowerCase()) && (!q.get('state') || (q.get('state') === 'connected') === s.connected)), q),
  'GET stations/*': ([id]) => ({ ...w.stations.find((s) => s.id === id), settings, boots: [{ at: w.ago(300), admitted: 'accepted', firmware: null, reason: 'PowerUp' }, { at: w.ago(9000), admitted: 'accepted', firmware: null, reason: 'RemoteReset' }], connection: { peer: '10.20.3.17:51422', certificate: { common_name: 'SN10000', not_after: '2027-11-01T00:00:00Z' } } }),
  'POST stations': (_, __, body) => ({ id: body.id, ...(body.profile === 2 ? { key: '7d41f0c29ab3e6580c1f' } : { certificate_pem: '-----BEGIN CERTIFICATE-----\n(mock)', key_pem: '-----BEGIN PRIVATE KEY-----\n(mock)' }) }),
  'POST stations/*/key': ([id]) => ({ id, key: '7d41f0c29ab3e6580c1f' }),
  'POST stations/*/key/renewal': () => ({ outcome: 'accepted', message: 'the station accepted', written: [{ key: 'AuthorizationKey', result: 'accepted' }] }),
  'POST stations/*/orders': (_, __, { kind }) => kind === 'unlock' ? { outcome: 'timed_out', message: 'The station did not answer within 30 s.' } : { outcome: 'accepted', message: 'The station accepted.', settings },
  'GET stations/*/log': ([id], q) => list(log(id).filter((l) => l.text.toLowerCase().includes((q.get('query') ?? '').toLowerCase()) && (!q.get('direction') || l.direction === q.get('direction')))),
  'GET sessions': (_, q) => list(w.sessions.filter((s) => q.get('state') === 'active' ? !s.end : q.get('state') === 'ended' ? s.end : true).map(forOperator), q),
  'GET sessions/*': ([id]) => { const s = w.sessions.find((one) => one.id === id); return s && { ...forOperator(s), ...detail(s), tariff: { id: 'AC-STANDARD', text: '0.58 € per kWh' }, records: s.end ? 1 : 0, cdr: s.end ? 'VLT-CDR-000119' : null }; },
  'GET cdrs': (_, q) => list(cdrs(), q),
  'GET tariffs': () => list(w.tariffs), 'PUT tariffs/*': (_, __, body) => body, 'DELETE tariffs/*': () => ({}),
  'GET parties': () => list([{ party: 'DE-MGS', sessions: 17, cdrs: 14, cdrs_waiting: 1, last_session: w.ago(12) }, { party: 'DE-NLM', sessions: 16, cdrs: 12, cdrs_waiting: 0, last_session: w.ago(7) }]),
  'GET audit': () => list([{ at: w.ago(4), actor: 'mira', action: 'station.unlock', subject: 'VLT-0001', outcome: 'timed_out' }, { at: w.ago(90), actor: 'mira', action: 'tariff.put', subject: 'AC-STANDARD', outcome: 'done' }]),
  'PUT evses/*/capabilities': () => ({}), 'GET locations': () => list(w.stations.map((s) => ({ ...s.location, address: s.address, postal_code: '89073', country: 'DEU', lat: '48.3984000', lon: '9.9916000', time_zone: 'Europe/Berlin', evses: s.evses.map((e) => ({ ...e, physical_reference: `A${e.no}`, plugs: ['IEC_62196_T2'], max_power_w: 22_000, capabilities: ['REMOTE_START_STOP_CAPABLE', 'RESERVABLE', 'RFID_READER', 'UNLOCK_CAPABLE'] })) }))),
  'PUT locations/*/head': () => ({}), 'PUT evses/*': () => ({}), 'PUT meters/*': () => ({}),
  'GET alarms': () => list([{ id: 'a1', kind: 'evse_fault', subject: '6-2', station: w.stations[5].id, session: null, since: w.ago(40), detail: w.stations[5].evses[1].fault, seen: null }, { id: 'a2', kind: 'station_away', subject: w.stations[7].id, station: w.stations[7].id, session: null, since: w.ago(300), detail: '', seen: { at: w.ago(200), by: 'mira' } }]),
  'POST alarms/*/seen': () => ({}), 'DELETE alarms/*/seen': () => ({}),
  'GET meters': () => list(w.stations.flatMap((s, index) => s.evses.map((e) => ({ evse: e.uid, evse_id: e.evse_id, station: s.id, no: e.no, location: s.location.id, location_name: s.location.name, key: index === 0 ? null : { spki_hex: '3059', fingerprint: 'ab'.repeat(32), confirmed: index > 1 } })))),
  'POST tariffs/preview': (_, __, body) => ({ offers: [{ dimension: 'ENERGY', gross: '0.58', unit: 'kWh', condition: null, now: true }], lines: [], net: { amount: '9.75', currency: body.tariff.currency }, gross: { amount: '11.60', currency: body.tariff.currency }, notes: [], findings: [] }),
  'GET refusals': () => list([{ at: w.ago(14), identity: 'VLT-0099', peer: '93.184.10.4:40122', reason: 'No station of this name is enrolled.', status: 404 }, { at: w.ago(41), identity: 'VLT-0003', peer: '10.20.3.20:50110', reason: 'The certificate names serial SN99999, enrolled is SN10074.', status: 403 }, { at: w.ago(200), identity: 'VLT-0006', peer: '10.20.3.23:50977', reason: 'The key is wrong (basic authentication).', status: 401 }]),
};
const hub = {
  'GET overview': () => ({ parties: 4, operators: 1, providers: 2, tokens_indexed: 48, letters_today: 1843, bytes_today: 2_381_204, failures_today: 2, history: Array.from({ length: 48 }, (_, i) => ({ at: w.ago((48 - i) * 30), count: Math.round(20 + 30 * Math.sin(i / 7) ** 2) })) }),
  'GET parties': () => list(w.parties.map((p) => ({ party: p.party, name: p.name, role: p.role, status: 'CONNECTED', last_seen: w.ago(0.3) }))),
  'GET conflicts': () => list([]),
  'GET partners': () => list([
    { party: 'DE-ICE', name: 'Icelake Charging', protocol: 'oicp/2.3', invited: false, roles: [{ role: 'operator', status: 'CONNECTED' }], addresses: [{ service: '', url: 'https://oicp.icelake.example' }], certificate: 'ab'.repeat(32), entry: null, local: false, habits: null, seen: [], suggested: null, last_seen: w.ago(2) },
    { party: 'NL-NEW', name: 'Nieuwland', protocol: 'ocpi', invited: true, roles: [{ role: 'provider', status: 'PLANNED' }], addresses: [], certificate: null, entry: null, local: false, habits: null, seen: [], suggested: null, last_seen: null },
    ...w.parties.filter((p) => p.role !== 'hub').map((p) => ({ party: p.party, name: p.name, protocol: 'ocpi/2.2.1', invited: false, roles: [{ role: p.role, status: 'CONNECTED' }], addresses: [{ service: '', url: 'https://localhost/ocpi/versions' }], certificate: null, entry: null, local: true, habits: { raw_token: false, version: '2.2.1', unknown_is_ok: false, times: 'as written', ids: 'as written', hashes: 'either' }, seen: p.role === 'provider' ? [{ what: 'moments without a time zone', count: 412 }, { what: 'ids with separators', count: 388 }] : [], suggested: p.role === 'provider' ? { raw_token: false, version: '2.2.1', unknown_is_ok: false, times: 'no zone', ids: 'as written', hashes: 'either' } : null, last_seen: w.ago(0.3) })),
  ]),
  'POST partners/invitations': () => ({ versions_url: 'https://hub.example/ocpi/versions', token: 'road_3c1f8e0a7b5d4c2e9f6a' }),
  'POST partners': () => ({ password: 'road_9d2b4f6c8e1a3b5d7f90' }),
  'POST partners/*/trial': () => ({ held: false, steps: [{ what: 'Address', held: true, found: 'partner.example is 93.184.216.34', advice: null }, { what: 'TCP', held: true, found: 'port 443 is open', advice: null }, { what: 'TLS', held: true, found: `certificate of partner.example from Example Authority, good until 2027-01-31T00:00:00Z, SHA-256 ${'ab'.repeat(32)}`, advice: null }, { what: 'Versions', held: false, found: 'they want our token as it is, not in base64', advice: 'Take over the suggested habit.' }], suggested: { raw_token: true, version: null, unknown_is_ok: false } }),
  'GET partners/*/measures': () => list([
    ['M1', 'A contract finds its provider by its own prefix, never by asking around.', 'always', null, true], ['M2', 'A card finds its provider by a keyed tag; the hub has no list of cards.', 'always', null, true],
    ['M3', 'A card that this provider said yes to is remembered as a tag for 30 days.', 'switch', null, true], ['M4', 'This provider is asked about cards that nobody announced, without the place at first.', 'switch', null, false],
    ['M7', 'Of a token this operator gets what is mandatory and no more.', 'nothing', 'it concerns operators, and this partner is none', false],
    ['M10', 'Of the cards that may see a private charger this provider is told its own.', 'switch', null, true], ['M12', 'CDRs are kept sealed and told to this provider once a night, shuffled.', 'switch', null, false],
    ['M14', 'CDRs are kept sealed for this provider to fetch, for a window, and then forgotten.', 'nothing', 'operators keep a CDR themselves until a provider of OCPI has taken it', false],
    ['M16', 'Whoever asks about one unknown card after the other is noticed and stopped.', 'always', null, true],
  ].map(([measure, says, standing, why, on]) => ({ measure, says, standing, why, on, by_default: standing === 'switch' ? on : null }))),
  'PUT partners/*/measures/*': () => ({}),
  'PUT partners/*/habits': () => ({}), 'PUT partners/*/standing': () => ({}), 'DELETE partners/*': () => ({}),
  'GET losses': () => list([{ from: 'DE-VLT', to: 'DE-ICE', errand: 'location', what: '/evses/*/floor_level has no word in OICP 2.3', count: 120, last: w.ago(4) }, { from: 'DE-ICE', to: 'DE-MGS', errand: 'cdr', what: '/MeterValueInBetween is not carried', count: 9, last: w.ago(60) }]),
  'GET audit': () => list([{ at: w.ago(30), actor: 'mira', action: 'invite partner', subject: 'NL-NEW' }]),
  'GET routes': () => list([['DE-VLT', 'DE-KRP', 'put_location', 320, 412_000, 0], ['DE-VLT', 'DE-MGS', 'put_session', 266, 198_400, 0], ['DE-VLT', 'DE-NLM', 'put_session', 214, 160_020, 0], ['DE-VLT', 'DE-MGS', 'post_cdr', 41, 122_310, 1], ['DE-VLT', 'DE-NLM', 'post_cdr', 36, 101_877, 1], ['DE-VLT', 'DE-MGS', 'may_charge', 38, 9_120, 0], ['DE-MGS', 'DE-VLT', 'start', 12, 6_480, 0]].map(([from, to, errand, count, bytes, failures], i) => ({ from, to, errand, count, bytes, failures, last: w.ago(i * 2) }))),
};
const provider = {
  ...registrationOf(false),
  'GET overview': () => ({ drivers: 24, cards: 31, sessions: { active: 4, today: 12, energy_today_wh: 221_400 }, cdrs: { today: 9, valid: 8, not_valid: 0 }, alarms: 0, disputes_open: disputes.filter((d) => d.state === 'open').length, invoices: { open: 18, issued: 44 } }),
  'GET drivers': () => list([['Ada Berg', 'DE-MGS-C····7K2-4', 2, 'good'], ['Tarik Yıldız', 'DE-MGS-C····0PL-9', 1, 'good'], ['Lena Novak', 'DE-MGS-C····M3X-1', 1, 'suspended']].map(([name, contract, c, state], i) => ({ id: `u${i}`, name, contract, cards: c, state, blocked: state !== 'good', joined: w.ago(99999), credit_cap: null }))),
  'GET alarms': () => list([]), 'GET driver/keys': () => list([]), 'GET cards': () => list(cards), 'GET sessions': (_, q) => list(w.sessions.filter((s) => s.provider === 'DE-MGS').map((s) => ({ ...forDriver(s), operator: 'DE-VLT', driver: 'u0' })), q),
  'GET cdrs': (_, q) => list(cdrs().filter((c) => c.provider === 'DE-MGS'), q), 'GET disputes': () => list(disputes),
  'POST disputes/*': ([id], _, { action }) => { disputes.find((d) => d.id === id).state = `${action}ed`; return {}; },
  'GET invoices': () => list(invoices()), 'GET invoices/*': ([id]) => invoices().find((one) => one.id === id), 'POST invoices/*/issue': () => ({}),
  'GET driver/places': (_, q) => list(w.places.filter((p) => p.lon >= q.get('west') && p.lon <= q.get('east') && p.lat >= q.get('south') && p.lat <= q.get('north')), new URLSearchParams('limit=99999')),
  'GET driver/places/*/*': ([o, l]) => w.place(o, l),
  'POST driver/start': (_, __, wish) => start(wish), 'GET driver/orders/*': ([id]) => orders.get(id) ?? { id, kind: 'stop', state: 'acknowledged', message: '', session: null },
  ...bookingsOf(tell),
  'GET driver/contract': () => ({ name: 'Ada Berg', email: 'ada@example.org', contract: 'DE-MGS-C0N7K27K2-4', state: 'good', valid_until: null, credit_cap: { amount: '200.00', currency: 'EUR' } }),
  'GET driver/sessions': () => list(mine().map(forDriver)), 'GET driver/sessions/*': ([id]) => { const s = w.sessions.find((one) => one.id === id); return s && { ...forDriver(s), ...detail(s), learned: w.learned }; },
  'GET driver/sessions/*/limit': ([id]) => ({ limit: limits.get(id) ?? null, look: looks.get(id)?.look ?? null, plan: looks.get(id)?.plan ?? null }),
  'POST driver/sessions/*/limit': ([id], _, wish) => limited(id, wish.most_w), 'DELETE driver/sessions/*/limit': ([id]) => limited(id, null),
  'POST driver/sessions/*/plan': ([id]) => looked(id),
  'POST driver/sessions/*/stop': ([id]) => { setTimeout(() => { w.endSession(w.sessions.find((s) => s.id === id)); tell('session', { id }); }, 1500); return { order: 'o-stop', state: 'sent', message: '' }; },
  'GET driver/invoices': () => list(invoices().map(({ lines, vat, ...one }) => one)), 'GET driver/invoices/*': ([id]) => invoices().find((one) => one.id === id), 'GET driver/cards': () => cards,
  'POST driver/cards/*/*': ([id, what]) => { cards.find((c) => c.id === id).blocked = what === 'block'; return {}; },
};
const everywhere = {
  'GET keys': () => list(keys), 'POST keys': (_, __, body) => { const made = { id: keys.length + 1, created: w.now(), last_used: null, ...body }; keys.push(made); return { id: made.id, key: 'ley_7Jq2mXc0vT9sKfW4hRz8' }; },
  'DELETE keys/*': ([id]) => { keys.splice(keys.findIndex((k) => String(k.id) === id), 1); return {}; }, 'GET users': () => list(users), 'POST users': (_, __, body) => { users.push({ id: users.length + 1, created: w.now(), ...body }); return { password: 'zt4-mm9-kwe-51p' }; },
};

function limited(id, most_w) {
  const wish = { id: `l${limits.size + 1}`, most_w, state: 'acknowledged', message: 'passed on to the station', given: w.now(), deadline: w.now() };
  limits.set(id, wish);
  setTimeout(() => { Object.assign(wish, { state: 'happened', message: 'the station keeps to the limit' }); tell('session', { id }); }, 1200);
  return wish;
}

/** It tells its plan, and the next time that it does not. */
function looked(id) {
  const told = looks.get(id)?.plan ? 'refused' : 'happened';
  const look = { id: 'look', most_w: null, state: told, message: told === 'refused' ? 'the operator does not offer this' : '', given: w.now(), deadline: w.now() };
  looks.set(id, { look, plan: told === 'refused' ? null : { calculated: w.now(), unit: 'W', periods: [[0, '11000'], [-90, '3700'], [-240, '0'], [-480, '7400']].map(([minutes, limit]) => ({ from: w.ago(minutes), limit })) } });
  return look;
}

function start({ location, evse }) {
  const station = w.stations.find((s) => s.location.id === location) ?? w.stations[0];
  const point = station.evses.find((e) => e.uid === evse) ?? station.evses[0];
  const order = { id: `o${orders.size + 1}`, state: 'sent', message: '', session: null };
  orders.set(order.id, order);
  setTimeout(() => { order.state = 'acknowledged'; tell('order', { id: order.id }); }, 900);
  setTimeout(() => { const s = w.startSession(station, point, 1, 'DE-MGS'); s.driver = true; Object.assign(order, { state: 'started', session: s.id }); tell('order', { id: order.id }); tell('session', { id: s.id }); }, 2200);
  return { order: order.id, state: 'sent' };
}

function tell(event, data) { for (const res of listeners) res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`); }
setInterval(() => {
  for (const s of w.sessions.filter((one) => !one.end)) { w.step(s); tell('session', { id: s.id }); tell('evse', { id: s.station }); }
}, 4000);

function find(table, method, path) {
  for (const [name, handler] of Object.entries(table)) {
    const [verb, pattern] = name.split(' ');
    const match = verb === method && new RegExp(`^${pattern.replaceAll('*', '([^/]+)')}$`).exec(path);
    if (match) return (q, body) => handler(match.slice(1).map(decodeURIComponent), q, body);
  }
  return null;
}

async function api(req, res, url) {
  const send = (status, value) => { res.writeHead(status, { 'content-type': 'application/json' }); res.end(JSON.stringify(value)); };
  const fail = (status, code, message) => send(status, { error: { code, message } });
  if (url.pathname === '/api/parties') return send(200, { items: w.parties, total: w.parties.length, demo: true, clock_factor: 1, now: w.now() });
  const [, slug, path] = /^\/api\/p\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
  const chunks = []; for await (const chunk of req) chunks.push(chunk);
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
  if (path === 'login') {
    if (body.password === 'wrong') return fail(401, 'wrong_login', 'User name or password is wrong.');
    const me = { user: body.user, name: 'Mira Sommer', roles: ['admin', 'driver'] };
    signedIn.set(slug, me); return send(200, me);
  }
  if (path === 'me') return signedIn.has(slug) ? send(200, signedIn.get(slug)) : fail(401, 'signed_out', 'Sign in first.');
  if (path === 'logout') { signedIn.delete(slug); return send(200, {}); }
  if (path === 'events' || path === 'driver/events') { res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }); res.write(': ping\n\n'); listeners.add(res); req.on('close', () => listeners.delete(res)); return; }
  if (req.method !== 'GET' && req.headers['x-leyden'] !== '1') return fail(403, 'forged', 'The header X-Leyden is missing.');
  const record = /^(?:(?:driver\/)?sessions|payments)\/([^/]+)\/record$/.exec(path ?? '');
  if (record) { res.writeHead(200, { 'content-type': 'application/xml', 'content-disposition': `attachment; filename="${record[1]}.xml"` }); return res.end(w.xml(w.sessions.find((s) => s.id === record[1]) ?? w.sessions.find((s) => s.end))); }
  const handler = find(slug === 'operator' ? operator : slug === 'hub' ? hub : provider, req.method, path) ?? find(everywhere, req.method, path);
  const answer = handler?.(url.searchParams, body);
  return answer ? send(req.method === 'POST' ? 201 : 200, answer) : fail(404, 'not_found', 'There is no such thing.');
}

createServer((req, res) => {
  const url = new URL(req.url, 'http://mock');
  if (url.pathname.startsWith('/api/')) return void api(req, res, url);
  const wanted = normalize(join(DIST, url.pathname));
  const file = wanted.startsWith(DIST) && extname(wanted) && existsSync(wanted) ? wanted : join(DIST, 'index.html');
  res.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'" });
  res.end(readFileSync(file));
}).listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}/`));
