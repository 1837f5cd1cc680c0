// Makes src/expert/*.json: of every request that a central system may send, per version of OCPP, the names, types and
// limits of its fields. Read from the official JSON schemas once, kept without their texts.
//   node tools/actions.mjs DIR_WITH_1.6_2.0.1_2.1
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CORE = ['CancelReservation', 'ChangeAvailability', 'ChangeConfiguration', 'ClearCache', 'ClearChargingProfile', 'DataTransfer', 'GetCompositeSchedule', 'GetConfiguration', 'GetDiagnostics', 'GetLocalListVersion', 'RemoteStartTransaction', 'RemoteStopTransaction', 'ReserveNow', 'Reset', 'SendLocalList', 'SetChargingProfile', 'TriggerMessage', 'UnlockConnector', 'UpdateFirmware'];
const SECURITY = ['CertificateSigned', 'DeleteCertificate', 'ExtendedTriggerMessage', 'GetInstalledCertificateIds', 'GetLog', 'InstallCertificate', 'SignedUpdateFirmware'];
const TWO = ['CancelReservation', 'CertificateSigned', 'ChangeAvailability', 'ClearCache', 'ClearChargingProfile', 'ClearDisplayMessage', 'ClearVariableMonitoring', 'CostUpdated', 'CustomerInformation', 'DataTransfer', 'DeleteCertificate', 'GetBaseReport', 'GetChargingProfiles', 'GetCompositeSchedule', 'GetDisplayMessages', 'GetInstalledCertificateIds', 'GetLocalListVersion', 'GetLog', 'GetMonitoringReport', 'GetReport', 'GetTransactionStatus', 'GetVariables', 'InstallCertificate', 'PublishFirmware', 'RequestStartTransaction', 'RequestStopTransaction', 'ReserveNow', 'Reset', 'SendLocalList', 'SetChargingProfile', 'SetDisplayMessage', 'SetMonitoringBase', 'SetMonitoringLevel', 'SetNetworkProfile', 'SetVariableMonitoring', 'SetVariables', 'TriggerMessage', 'UnlockConnector', 'UnpublishFirmware', 'UpdateFirmware'];
const ADDED = ['AFRRSignal', 'AdjustPeriodicEventStream', 'ChangeTransactionTariff', 'ClearDERControl', 'ClearTariffs', 'GetDERControl', 'GetPeriodicEventStream', 'GetTariffs', 'NotifyAllowedEnergyTransfer', 'NotifyWebPaymentStarted', 'RequestBatterySwap', 'SetDERControl', 'SetDefaultTariff', 'UpdateDynamicSchedule', 'UsePriorityCharging'];
const SETS = {
  '1.6': [...CORE.map((name) => [name, `1.6/json/${name}.json`]), ...SECURITY.map((name) => [name, `1.6/json-security/${name}.json`])],
  '2.0.1': TWO.map((name) => [name, `2.0.1/json/${name}Request.json`]),
  '2.1': [...TWO, ...ADDED].map((name) => [name, `2.1/json/${name}Request.json`]),
};
const KEPT = ['type', 'enum', 'maxLength', 'minItems', 'maxItems', 'minimum', 'maximum', 'format', 'required'];

const from = process.argv[2];
if (!from || !existsSync(from)) throw new Error('where are the schemas?');
const out = new URL('../src/expert/', import.meta.url);
mkdirSync(out, { recursive: true });
for (const [version, files] of Object.entries(SETS)) {
  const types = {};
  const actions = {};
  for (const [name, file] of files.sort()) {
    const schema = JSON.parse(readFileSync(join(from, file), 'utf8'));
    for (const [type, body] of Object.entries(schema.definitions ?? {})) {
      if (type === 'CustomDataType') continue;
      const slim = trimmed(body);
      const known = types[type];
      if (known && JSON.stringify(known) !== JSON.stringify(slim)) throw new Error(`${type} of ${version} is two things`);
      types[type] = slim;
    }
    actions[name] = trimmed(schema);
  }
  writeFileSync(new URL(`${version}.json`, out), `${JSON.stringify({ actions, types })}\n`);
}

function trimmed(schema) {
  if (schema.$ref) return { $ref: schema.$ref.split('/').at(-1) };
  const slim = {};
  for (const key of KEPT) if (schema[key] !== undefined) slim[key] = schema[key];
  if (schema.properties) slim.properties = Object.fromEntries(Object.entries(schema.properties).filter(([name]) => name !== 'customData').map(([name, inner]) => [name, trimmed(inner)]));
  if (schema.items) slim.items = trimmed(schema.items);
  return slim;
}
