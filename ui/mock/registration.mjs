// A registration for the pages: one party stands at its hub and could not renew, the other one is still a stranger.
import * as w from './world.mjs';

const step = (what, found, held = true, advice = null) => ({ what, held, found, advice });
const way = [step('Address', 'far.example is 93.184.216.34'), step('TCP', 'port 443 is open'), step('TLS', `certificate of far.example from Example Authority, good until 2027-01-31T00:00:00Z, SHA-256 ${'ab'.repeat(32)}`), step('Versions', '2.2.1 and 2.3.0'), step('Endpoints', 'read, in 2.3.0')];
const found = 'they say that this is not the time for it (HTTP 405)';
const advice = 'They hold us for registered where we begin, or for strangers where we renew. Ask them to forget us and to give a token A.';
const told = (last) => ({ held: last.every(({ held }) => held), steps: [...way, ...last], suggested: null });
const begun = { at: w.ago(44_000), by: 'mira', what: 'register', held: true, found: null, advice: null };

export const registrationOf = (registered) => {
  const failed = { at: w.ago(55), by: null, what: 'renew', held: false, found, advice };
  const deeds = registered ? [failed, begun] : [];
  const put = (what, last) => { deeds.unshift({ at: w.now(), by: 'mira', what, held: last.every(({ held }) => held), found: last.find(({ held }) => !held)?.found ?? null, advice: last.find(({ held }) => !held)?.advice ?? null }); return told(last); };
  let here = registered;
  return {
    'GET registration': () => ({ party: 'NL-FAR', registered: here, name: here ? 'Far Hub' : null, versions_url: here ? 'https://far.example/ocpi/versions' : null, version: here ? '2.3.0' : null, configured: false, renews: here ? w.ago(-300) : null, failed_renewal: here && !deeds[0].held ? deeds[0] : null, deeds }),
    'POST registration': (_, __, { token }) => { if (token === 'wrong') return put('register', [step('Credentials', 'they refuse our token here', false, 'Ask them for a new token A.')]); here = true; return put('register', [step('Credentials', 'they speak for NL-FAR as HUB'), step('New token', 'is welcome')]); },
    'PUT registration': () => put('renew', [step('Credentials', found, false, advice)]),
    'DELETE registration': () => { here = false; const last = [step('Withdrawal', 'they have forgotten us, and we them')]; put('leave', last); return { held: true, steps: last, suggested: null }; },
  };
};
