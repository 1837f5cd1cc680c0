// `ocpp-ws-io` depends on a logger that is not in the registry: this stands in for it and says nothing.
const silent = () => {};
function createLogger() {
  const names = ["trace", "debug", "info", "warn", "error", "fatal", "log", "silly", "addTransport", "flush", "close"];
  const log = Object.fromEntries(names.map((name) => [name, silent]));
  log.child = createLogger;
  return log;
}
const known = { createLogger, default: createLogger, LogLevel: {} };
// whatever else is asked for is a transport that takes lines and drops them
module.exports = new Proxy(known, { get: (own, name) => (name === "__esModule" ? true : (own[name] ?? (() => silent))) });
