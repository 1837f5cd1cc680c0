// The mock's bookings: a station of which one point may be booked, and what a driver has booked.
import * as w from './world.mjs';

const usual = { early: 10, noshow: 15, late: 10, shortest: 15, longest: 240, change_until: 0, cancel_until: 30 };
const terms = new Map([['1', usual]]);
const quarter = (minutes) => new Date(Math.ceil((Date.parse(w.now()) + minutes * 60_000) / 900_000) * 900_000).toISOString().replace('.000', '');
const booking = (id, from, minutes, status, more = {}) => ({ id, giver: 'DE-MGS', evse_no: 1, from: quarter(from), to: quarter(from + minutes), status, cancel_reason: null, canceled_by: null, held: false, why: null, made: w.ago(90), ...more });
const kept = [booking('b1', -240, 60, 'FULFILLED'), booking('b2', 5, 90, 'RESERVED', { held: true }), booking('b3', 200, 45, 'RESERVED'), booking('b4', 300, 60, 'CANCELED', { cancel_reason: 'FULL', canceled_by: 'CPO' }), booking('b5', 1500, 60, 'RESERVED', { giver: 'DE-NLM' })];
const mine = [
  { id: 'd1', from: quarter(45), to: quarter(105), status: 'RESERVED' }, { id: 'd2', from: quarter(-2880), to: quarter(-2820), status: 'FULFILLED' },
  { id: 'd3', from: quarter(-4320), to: quarter(-4260), status: 'CANCELED', cancel_reason: 'BROKEN_CHARGER', canceled_by: 'CPO' },
].map((one) => ({ operator: 'DE-VLT', location: 'L1', evse: 'VLT-0001-E1', card: 'c1', cancel_reason: null, canceled_by: null, message: '', early: 10, noshow: 15, change_until: 0, cancel_until: 30, given: w.ago(90), ...one }));
const list = (items) => ({ items, total: items.length, next: null });

export const bookings = {
  'GET bookings': () => list(kept),
  'GET stations/*/bookings': ([id]) => { const s = w.stations.find((one) => one.id === id); return { evses: s.evses.map((e) => ({ no: e.no, evse: e.uid, terms: terms.get(e.uid) ?? terms.get(String(e.no)) ?? null })), bookings: kept.map((one) => ({ ...one, station: id, evse: s.evses[0].uid })) }; },
  'PUT evses/*/bookable': ([evse], _, body) => { terms.set(evse, body); return {}; }, 'DELETE evses/*/bookable': ([evse]) => { terms.delete(evse); return {}; },
  'POST bookings/*/cancel': ([id], _, { reason }) => { Object.assign(kept.find((one) => one.id === id), { status: 'CANCELED', cancel_reason: reason, canceled_by: 'CPO', held: false }); return {}; },
};

export const bookingsOf = (tell) => ({
  'GET driver/places/*/*/bookable': ([operator, location]) => list(w.place(operator, location).evses.map(({ uid }) => ({ id: uid, evse: uid, free: [{ from: w.now(), to: quarter(150) }, { from: quarter(300), to: quarter(20_000) }], noshow_fee: { amount: '4.76', currency: 'EUR' }, cancel_fee: null, terms_url: null, ...usual }))),
  'GET driver/bookings': () => list(mine),
  'POST driver/bookings': (_, __, wish) => { const made = { ...mine[0], ...wish, id: `d${mine.length + 1}`, evse: wish.bookable, status: 'RESERVED' }; mine.unshift(made); return made; },
  'PUT driver/bookings/*': ([id], _, times) => { const one = mine.find((of) => of.id === id); Object.assign(one, times); tell('booking', { id }); return one; },
  'DELETE driver/bookings/*': ([id]) => { const one = mine.find((of) => of.id === id); Object.assign(one, { status: 'CANCELED', cancel_reason: 'NO_CANCELED', canceled_by: 'EMSP' }); return one; },
});
