// The operator's daily work, made up: one of everything, in every state that looks different.
import { ago, stations } from './world.mjs';

const list = (items) => ({ items, total: items.length, next: null });
const told = { outcome: 'accepted', message: 'the station accepted', settings: [], unknown: [], written: [], request: null, answer: null };
const line = { at: ago(5), station: stations[0].id, evse: 1, order: null, by: null };
const request = { number: 7, station: stations[0].id, kind: 'diagnostics', by: 'mira', asked: ago(30), state: 'done', status: 'Uploaded', changed: ago(28) };
const values = [{ key: 'HeartbeatInterval', value: '300' }, { key: 'LocalPreAuthorize', value: 'false' }];
const template = { name: 'street', version: '1.6', vendor: null, model: null, location: null, after_boot: true, values };
const drift = { station: stations[0].id, template: 'street', after_boot: true, differences: [{ key: 'HeartbeatInterval', wanted: '300', found: '900', fixed: false, accepted: false }, { key: 'SecurityProfile', wanted: '3', found: '2', fixed: true, accepted: false }] };
const image = { id: 'f1', vendor: 'Leyden', model: null, version: '1.5.0', signed: true, elsewhere: false, there: true, bytes: 48_300_100, sha256: 'ab'.repeat(32), added: ago(3000) };
const members = stations.slice(0, 10).map(({ id }, index) => ({ station: id, wave: Math.floor(index / 4) + 1, state: ['done', 'done', 'done', 'failed', 'done', 'going', 'asked', 'waiting', 'waiting', 'waiting'][index], status: index === 3 ? 'InstallationFailed' : null, changed: ago(9) }));
const model = {
  variables: [['OCPPCommCtrlr.HeartbeatInterval', '300'], ['OCPPCommCtrlr.NetworkConfigurationPriority', '1'], ['1/EVSE.Power', '7400']].map(([name, value]) => ({ name, attribute: 'Actual', value, read_only: false, write_only: false, persistent: true, characteristics: { dataType: 'integer' }, told: ago(3) })),
  monitors: [{ id: 1, variable: '1/EVSE.Power', monitor: 'UpperThreshold', value: '8000', severity: 4, in_transaction: true }], streams: [],
  profiles: [{ evse: null, id: 1, purpose: 'ChargingStationMaxProfile', kind: 'Absolute', stack_level: 0, source: 'here', valid_from: null, valid_until: null, limits: '16 A', told: ago(20) }],
  displays: [{ id: 1, priority: 'NormalCycle', state: null, from: null, until: null, language: 'de', text: 'Guten Morgen' }],
};

const tolerance = (quirk, told, on, met, because = 'usual', profile = null) => ({ quirk, told, on, because, profile, weakens_security: quirk === 'no-subprotocol', met, last: met ? ago(4) : null, example: met ? 'MeterValues /meterValue/0/timestamp: has no time zone, taken as UTC' : null });
const quirks = (station) => ({
  make: { vendor: 'FoxESS', model: 'A7300', firmware: '1.14.2' }, strict: false, profiles: ['FoxESS A series'], refused_keys: ['WebSocketPingInterval'],
  tolerances: [tolerance('no-time-zone', 'A time without a zone is taken as UTC.', true, 812), tolerance('no-connector', 'A missing connector number is taken as the only connector, or the whole station.', true, 3, 'profile', 'FoxESS A series'), tolerance('card-as-local', 'A 2.x token of type Local or KeyCode is taken as an RFID card.', false, 7), tolerance('null-as-absent', 'A member that is null is taken as absent.', true, 0), tolerance('no-subprotocol', 'A station that offers no subprotocol is let in and spoken to in 1.6.', false, 0)],
  suggestions: [{ station, quirk: 'card-as-local', text: '', weakens_security: false, met: 7, last: ago(4) }],
});

export const daily = {
  'GET denials': () => list([{ ...line, kind: 'connection', what: 'The connection was refused with 401: the key is not the one of this station.', next: '' }, { ...line, kind: 'tap', what: "The token's provider has blocked it.", next: 'The driver has to ask their provider; it cannot be opened here.' }, { ...line, kind: 'order', order: 'unlock', by: 'mira', what: 'The order was not carried out: the station answered UnlockFailed.', next: 'Somebody has to look at the plug.' }]),
  'GET stations/*/quirks': ([id]) => quirks(id), 'PUT stations/*/quirks/*': () => ({}), 'PUT stations/*/strict': () => ({}), 'POST stations/*/quirks/*/apply': () => ({}), 'POST stations/*/quirks/*/dismiss': () => ({}), 'POST stations/*/reconnect': () => ({}),
  'GET quirk-suggestions': () => list(quirks(stations[0].id).suggestions), 'GET quirk-profiles': () => list([{ name: 'FoxESS A series', vendor: 'FoxESS*', model: 'A*', firmware: '*', on: ['pin-1.6', 'no-connector'], off: [], shipped: true }]),
  'GET quirks': () => list([['no-time-zone', 'A time without a zone is taken as UTC.', true], ['answer-pause', 'An answer leaves a moment later, for a station that is not ready for it at once.', false]].map(([quirk, told, usual]) => ({ quirk, told, usual, weakens_security: false }))), 'PUT quirk-profiles/*': () => ({}), 'DELETE quirk-profiles/*': () => ({}),
  'GET second-words': () => ({ allow: ['StatusNotification', 'StartTransaction', 'StopTransaction', 'TransactionEvent', 'MeterValues', 'Authorize'], obey: ['RemoteStartTransaction', 'Reset', 'UnlockConnector', 'SetChargingProfile'] }), 'PUT seconds/*': () => ({}), 'DELETE seconds/*': () => ({}),
  'GET seconds': () => list([{ name: 'grid', address: 'wss://grid.example.org/ocpp', version: '1.6', mode: 'relay', allow: ['StatusNotification', 'MeterValues'], obey: ['SetChargingProfile'], tokens: 'pseudonym', stations: [], location: null, buffer_max: 1000, local: false, roots: '', paused: false, has_password: true, has_certificate: false, changed: ago(100), standings: stations.slice(0, 3).map(({ id }, nth) => ({ station: id, connected: nth !== 1, buffered: nth === 1 ? 212 : 0, sent: 8123, dropped: 0, refused: nth, lost: 0, obeyed: 3, denied: 1, last_error: nth === 1 ? 'the back-end cannot be reached' : null })) }]),
  'GET news': () => list([0, 4, 6, 7, 9].map((severity) => ({ cursor: severity, station: stations[0].id, at: ago(severity), kind: 'event', evse: 1, severity, text: '1/EVSE.Power rose above 8000', document: null }))),
  'GET templates': () => list([template]), 'PUT templates/*': () => ({}), 'DELETE templates/*': () => ({}), 'GET drift': () => list([drift]), 'GET offline-rules': () => list(values),
  'GET stations/*/drift': ([id]) => list(id === stations[0].id ? [drift] : []), 'POST stations/*/drift/*/apply': () => told, 'POST stations/*/drift/*/accept': () => ({}),
  'GET stations/*/tokens': () => ({ version: 3, told: 3, uncertain: false, sent: ago(80), outcome: 'Accepted', entries: [{ id: 't1', place: 'there', until: ago(-90_000), added: ago(900), by: 'mira' }, { id: 't2', place: 'new', until: ago(-90_000), added: ago(1), by: 'mira' }] }),
  'POST stations/*/tokens': () => ({}), 'POST stations/*/tokens/update': () => told, 'DELETE stations/*/tokens/*': () => ({}),
  'GET reservations': () => list(['held', 'used', 'refused', 'expired'].map((state, id) => ({ id, station: stations[0].id, evse: 1, until: ago(-60), state, why: state === 'refused' ? 'the station answered Occupied' : null, giver: id ? null : 'DE-MGS', session: null, asked: ago(20), changed: ago(20) }))),
  'GET requests': () => list([request]), 'POST stations/*/uploads': () => told, 'GET uploads': () => list([{ ...request, name: 'diag.zip', bytes: 812_000, received: ago(28), there: true, open_until: ago(-60) }]),
  'GET stations/*/model': () => model,
  'POST stations/*/words': (_, __, { kind }) => kind === 'composite' ? { ...told, answer: { composite: { evse: null, start: ago(0), duration_s: 86_400, unit: 'A', periods: [['0', '16'], ['7200', '6'], ['36000', '16']].map(([start, limit]) => ({ start: Number(start), limit, phases: 3, discharge_limit: null, setpoint: null })) } } } : told,
  'POST stations/*/expert': (_, __, { action }) => action === 'Reset' ? { answer: null, code: 'NotSupported', error: 'no such action', took_ms: 21 } : { answer: { status: 'Accepted' }, code: null, error: null, took_ms: 34 },
  'GET firmware': () => list([image]), 'POST firmware': () => image, 'GET campaigns': () => list([{ id: 'k1', firmware: 'f1', wave_percent: 40, pause_s: 3600, failures_max: 2, state: 'running', why: null, begun: ago(70), stations: members }]), 'PUT campaigns/*/state': () => ({}), 'POST campaigns': () => ({}),
  'GET certificates': () => list([{ id: 1, station: stations[0].id, state: 'accepted', why: null, common_name: 'SN10000', serial: '0A42', fingerprint: 'cd'.repeat(32), not_after: ago(-60 * 24 * 12), asked: ago(9000) }]),
  'GET stations/*/certificates': () => list([{ trusted_for: 'operator_root', hash: { algorithm: 'SHA256', issuer_name: 'ef'.repeat(32), issuer_key: '01'.repeat(32), serial: '1f' }, child: false, told: ago(3) }]), 'POST stations/*/certificates': () => told,
};
