// A central system that is not ours, for OCPP 1.6 and 2.0.1: the npm package `ocpp-rpc` with strict schemas, on loopback
// without TLS. It serves one station through one session, and then gives it the orders below. One JSON line per step; a
// message that the schemas refuse is the step `schema`, and ends it with status 1.
//
//   node npm_csms.cjs
const { RPCServer } = require('ocpp-rpc');

const PATIENCE_MS = 60_000;
const now = () => new Date().toISOString();
const step = (name, facts = {}) => console.log(JSON.stringify({ step: name, ...facts }));
const heartbeat = { component: { name: 'OCPPCommCtrlr' }, variable: { name: 'HeartbeatInterval' } };
const ORDERS = {
  'ocpp1.6': [
    ['GetConfiguration', {}],
    ['ChangeConfiguration', { key: 'HeartbeatInterval', value: '120' }],
    ['TriggerMessage', { requestedMessage: 'StatusNotification', connectorId: 1 }],
    ['GetLocalListVersion', {}],
    ['ChangeAvailability', { connectorId: 1, type: 'Operative' }],
    ['Reset', { type: 'Soft' }],
  ],
  'ocpp2.0.1': [
    ['GetVariables', { getVariableData: [heartbeat] }],
    ['SetVariables', { setVariableData: [{ ...heartbeat, attributeValue: '120' }] }],
    ['GetBaseReport', { requestId: 7, reportBase: 'FullInventory' }],
    ['TriggerMessage', { requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } }],
    ['GetLocalListVersion', {}],
    ['Reset', { type: 'OnIdle' }],
  ],
};

const server = new RPCServer({ protocols: Object.keys(ORDERS), strictMode: true, callTimeoutMs: 20_000 });
let transactions = 0;
let ordered = false;

async function give(station) {
  if (ordered) return;
  ordered = true;
  for (const [action, payload] of ORDERS[station.protocol]) {
    step('answered', { action, answer: await station.call(action, payload) });
  }
  step('done');
}

function fail(fault) {
  step('failed', { why: fault.message, details: fault.details });
  process.exit(1);
}

server.auth((accept, reject, handshake) => {
  step('open', { identity: handshake.identity, offered: [...handshake.protocols] });
  accept();
});
server.on('client', (station) => {
  const old = station.protocol === 'ocpp1.6';
  const verdict = old ? { idTagInfo: { status: 'Accepted' } } : { idTokenInfo: { status: 'Accepted' } };
  const serve = (action, answer) =>
    station.handle(action, ({ params }) => {
      step('heard', { action });
      return answer(params);
    });
  const nothing = ['StatusNotification', 'MeterValues', 'SecurityEventNotification', 'FirmwareStatusNotification'];
  const nothing2 = ['NotifyReport', 'NotifyEvent', 'NotifyMonitoringReport', 'ReportChargingProfiles', 'LogStatusNotification'];
  for (const action of old ? nothing : [...nothing, ...nothing2]) serve(action, () => ({}));
  serve('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: now() }));
  serve('Heartbeat', () => ({ currentTime: now() }));
  serve('Authorize', () => verdict);
  if (old) {
    serve('StartTransaction', () => ({ transactionId: ++transactions, ...verdict }));
    serve('StopTransaction', () => {
      setImmediate(() => give(station).catch(fail));
      return verdict;
    });
  } else {
    serve('TransactionEvent', ({ eventType }) => {
      if (eventType === 'Ended') setImmediate(() => give(station).catch(fail));
      return {};
    });
  }
  station.on('strictValidationFailure', ({ error }) => fail(error));
});
server.listen(0, '127.0.0.1').then((http) => step('listening', { port: http.address().port }));
setTimeout(() => fail(new Error('took too long')), PATIENCE_MS).unref();
