// Paying without a contract, made up: a payment in every stage, under secrets that are the stages' names
// (`/pay/operator#charging`). What is paid on the page runs on by itself.
import { ago, cost, evidence, lines, sessions, stations } from './world.mjs';

const HELD = { amount: '25.00', currency: 'EUR' };
const MEANS = [{ id: 'pretend-good', name: 'Pretend card, no money moves' }, { id: 'pretend-declined', name: 'Pretend card that is declined' }];
const WHY = { declined: 'The card was declined. Nothing was paid.', released: 'No car was plugged in, or the station did not start.' };
const BEGUN = new Set(['charging', 'closing', 'settled']);
const station = stations[3];
const live = new Map(), wishes = new Map();
const offered = new Map([[station.id, true]]);

function session(stage) {
  const one = sessions.find((s) => (stage === 'charging') === (s.end === null)) ?? sessions[0];
  const signed = stage === 'settled' ? evidence(one) : null;
  return { id: one.id, start: one.start, end: stage === 'charging' ? null : one.end, energy_wh: one.energy_wh, power_w: stage === 'charging' ? one.power_w : null, cost: cost(one),
    net: { amount: (one.energy_wh / 1000 * 0.4874).toFixed(2), currency: 'EUR' }, lines: lines(one), evidence: signed ?? { verdict: 'cannot be checked', remarks: [], detail: [] }, records: signed ? 1 : 0 };
}
function page(stage, wish = null) {
  const paid = !['opened', 'declined', 'lapsed'].includes(stage);
  const running = BEGUN.has(stage) ? session(stage) : null;
  return { stage, operator: 'Voltwerk', station: station.id, evse: 1, evse_id: station.evses[0].evse_id, place: station.location.name, city: station.location.city,
    offers: [['per kWh', '0.58', true], ['per minute connected without charging, from 240 min of the session, on Monday, Tuesday', '0.10', false], ['per session', '0.35', true]].map(([label, gross, now]) => ({ label, gross, currency: 'EUR', now })),
    tariff_text: '0.58 € per kWh, 0.35 € per session, 0.10 € per minute after four hours', currency: 'EUR', wish, means: MEANS,
    held: paid ? HELD : null, taken: stage === 'settled' ? running.cost : null, why: WHY[stage] ?? null, until: ago(-4), session: running };
}

const STAGES = ['opened', 'declined', 'starting', 'plug', 'charging', 'closing', 'settled', 'released', 'lapsed'];
const stageOf = (secret) => live.get(secret) ?? (STAGES.includes(secret) ? secret : null);
function follow(secret, ...stages) {
  stages.forEach((stage, index) => { if (index === 0) live.set(secret, stage); else setTimeout(() => live.set(secret, stage), index * 4000); });
  return page(stageOf(secret));
}

export const pay = {
  'POST payments': (_, __, { totp, max_cost = null }) => {
    if (totp === 'old') return null;
    const secret = `paid-${live.size}`;
    live.set(secret, 'opened');
    wishes.set(secret, max_cost);
    return { secret };
  },
  'GET payments/*': ([secret]) => { const stage = stageOf(secret); return stage && page(stage, wishes.get(secret)); },
  'POST payments/*': ([secret], _, { means }) => (means === MEANS[0].id ? follow(secret, 'starting', 'plug', 'charging') : follow(secret, 'declined')),
  'POST payments/*/stop': ([secret]) => follow(secret, 'closing', 'settled'),
  'GET stations/*/payment': ([id]) => ({ offered: offered.get(id) ?? null }),
  'PUT stations/*/payment': ([id]) => { offered.set(id, true); return { outcome: 'accepted', message: 'the station accepted', settings: [] }; },
  'DELETE stations/*/payment': ([id]) => { offered.set(id, false); return { outcome: 'accepted', message: 'the station accepted', settings: [] }; },
};
