// A charging station that is not ours, built on one of two npm packages: `ocpp-rpc` (OCPP 1.6 and 2.0.1, strict schemas in
// both directions) or `ocpp-ws-io` (1.6, 2.0.1 and 2.1). It boots, presents an unknown card and a known one, runs one session
// and, when it is told to, waits for one order of the operator. One JSON line per step; it ends with status 0 only if every
// answer came and was what it had to be.
//
//   node npm_station.cjs LIBRARY VERSION URL ID CARD FILE_CA password|certificate FILE
const fs = require('fs');

const [, , library, version, endpoint, identity, card, ca, kind, file] = process.argv;
const PATIENCE_MS = 30_000;
const old = version === '1.6';
const protocol = `ocpp${version}`;
const now = () => new Date().toISOString();
const step = (name, facts = {}) => console.log(JSON.stringify({ step: name, ...facts }));
const must = (condition, what) => {
  if (!condition) throw new Error(what);
};

// Both packages name a station and its secrets alike, and differ in how a call is made.
function connected() {
  const secret = fs.readFileSync(file);
  const tls = { ca: fs.readFileSync(ca), ...(kind === 'certificate' ? { cert: secret, key: secret } : {}) };
  const options = { endpoint, identity, protocols: [protocol], strictMode: true, reconnect: false };
  if (kind === 'password') options.password = secret.toString().trim();
  if (library === 'ocpp-rpc') {
    const { RPCClient } = require('ocpp-rpc');
    const client = new RPCClient({ ...options, wsOpts: tls });
    return { client, call: (action, payload) => client.call(action, payload) };
  }
  const { OCPPClient, SecurityProfile } = require('ocpp-ws-io');
  const profile = kind === 'password' ? SecurityProfile.TLS_BASIC_AUTH : SecurityProfile.TLS_CLIENT_CERT;
  const client = new OCPPClient({ ...options, tls, securityProfile: profile });
  return { client, call: (action, payload) => client.call(protocol, action, payload) };
}

const { client, call } = connected();
let told;
const order = new Promise((resolve) => (told = resolve));
const answers = {
  Reset: () => ({ status: 'Accepted' }),
  GetConfiguration: () => ({ configurationKey: [], unknownKey: [] }),
  GetBaseReport: () => ({ status: 'NotSupported' }),
  GetVariables: ({ getVariableData }) => ({
    getVariableResult: getVariableData.map(({ component, variable }) => ({
      attributeStatus: 'UnknownVariable', component, variable,
    })),
  }),
};
for (const [action, answer] of Object.entries(answers)) {
  const handler = ({ params }) => {
    if (action === 'Reset') told({ action, params });
    return answer(params);
  };
  client.handle(action, handler);
}

const v16 = {
  boot: () => call('BootNotification', { chargePointVendor: 'npm', chargePointModel: library, chargePointSerialNumber: 'SN-NPM' }),
  status: (state) => call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: state, timestamp: now() }),
  tap: async (uid) => (await call('Authorize', { idTag: uid })).idTagInfo.status,
  session: async () => {
    const begun = await call('StartTransaction', { connectorId: 1, idTag: card, meterStart: 1000, timestamp: now() });
    must(begun.idTagInfo.status === 'Accepted', `start was answered ${begun.idTagInfo.status}`);
    const sampledValue = [{ value: '1400', measurand: 'Energy.Active.Import.Register', unit: 'Wh' }];
    const meterValue = [{ timestamp: now(), sampledValue }];
    await call('MeterValues', { connectorId: 1, transactionId: begun.transactionId, meterValue });
    const end = { transactionId: begun.transactionId, meterStop: 2234, timestamp: now(), idTag: card, reason: 'Local' };
    await call('StopTransaction', end);
  },
};

const register = (wh, context) => [
  { timestamp: now(), sampledValue: [{ value: wh, context, measurand: 'Energy.Active.Import.Register', unitOfMeasure: { unit: 'Wh' } }] },
];
const v2 = {
  boot: () => call('BootNotification', { chargingStation: { vendorName: 'npm', model: library, serialNumber: 'SN-NPM' }, reason: 'PowerUp' }),
  status: (state) =>
    call('StatusNotification', { timestamp: now(), connectorStatus: state === 'Charging' ? 'Occupied' : state, evseId: 1, connectorId: 1 }),
  tap: async (uid) => (await call('Authorize', { idToken: { idToken: uid, type: 'ISO14443' } })).idTokenInfo.status,
  session: async () => {
    const transactionId = `npm-${library}-${version}`;
    const event = (eventType, triggerReason, seqNo, more) =>
      call('TransactionEvent', { eventType, triggerReason, seqNo, timestamp: now(), transactionInfo: { transactionId }, ...more });
    const idToken = { idToken: card, type: 'ISO14443' };
    const begun = await event('Started', 'Authorized', 0, {
      idToken, evse: { id: 1, connectorId: 1 }, meterValue: register(1000, 'Transaction.Begin'),
    });
    must(begun.idTokenInfo.status === 'Accepted', `start was answered ${begun.idTokenInfo.status}`);
    await event('Updated', 'MeterValuePeriodic', 1, { meterValue: register(1400, 'Sample.Periodic') });
    const transactionInfo = { transactionId, stoppedReason: 'Local' };
    await event('Ended', 'StopAuthorized', 2, { idToken, transactionInfo, meterValue: register(2234, 'Transaction.End') });
  },
};

async function live() {
  const station = old ? v16 : v2;
  client.on('strictValidationFailure', ({ error }) => {
    throw new Error(`the schema refuses: ${error.message}`);
  });
  await client.connect();
  const boot = await station.boot();
  must(boot.status === 'Accepted', `boot was answered ${boot.status}`);
  await station.status('Available');
  must(!Number.isNaN(Date.parse((await call('Heartbeat', {})).currentTime)), 'the heartbeat brought no time');
  step('boot');
  must((await station.tap('00000000DEAD')) !== 'Accepted', 'a token that nobody owns was accepted');
  must((await station.tap(card)) === 'Accepted', 'the card was not accepted');
  step('authorize');
  await station.status('Charging');
  await station.session();
  await station.status('Available');
  step('session');
  step('waiting-for-order');
  const { action, params } = await order;
  step('order', { action, params });
  // behind the answer to the order, so that it has left before the line closes
  await call('Heartbeat', {});
  await client.close();
  step('done');
}

const late = setTimeout(() => {
  console.error('npm_station.cjs: took too long');
  process.exit(1);
}, PATIENCE_MS * 2);
live().then(
  () => clearTimeout(late),
  (fault) => {
    console.error(`npm_station.cjs: ${fault.message}`);
    process.exit(1);
  },
);
