// A central system on the npm package `ocpp-rpc`, for `make rivals`: OCPP 1.6 over TLS, answers and keeps nothing.
//
// Says where it listens in one line, and lives as long as its standard input is open.
//
//   node csms.cjs IDENTITY.pem
const fs = require('node:fs');
const https = require('node:https');
const { RPCServer } = require('ocpp-rpc');

const BACKLOG = 4096;
const accepted = { idTagInfo: { status: 'Accepted' } };
const now = () => new Date().toISOString();
let transactions = 0;
const ANSWERS = {
  BootNotification: () => ({ status: 'Accepted', interval: 300, currentTime: now() }),
  Heartbeat: () => ({ currentTime: now() }),
  StatusNotification: () => ({}),
  MeterValues: () => ({}),
  StartTransaction: () => ({ transactionId: ++transactions, ...accepted }),
  StopTransaction: () => accepted,
};

const rpc = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });
rpc.auth((accept) => accept());
rpc.on('client', (station) => {
  for (const [action, answer] of Object.entries(ANSWERS)) station.handle(action, answer);
});
const pem = fs.readFileSync(process.argv[2]);
const server = https.createServer({ key: pem, cert: pem });
server.on('upgrade', rpc.handleUpgrade);
server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
