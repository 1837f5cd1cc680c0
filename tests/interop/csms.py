#!/usr/bin/env python3
"""A central system that is not ours, built on the PyPI package `ocpp`: OCPP 1.6, 2.0.1 or 2.1, on loopback; with TLS
where a file with key and certificate is given.

It serves one station, and after its first session gives it every order that the version has, made from the package's
schemas. Each message of the station is checked against them, in both directions. One JSON line per step; a message that
does not fit is the step `failed`, and ends it with status 1.

    csms.py VERSION [PEM]
"""
import asyncio
import datetime
import importlib
import json
import logging
import pathlib
import ssl
import sys
import traceback
import uuid

import ocpp
import websockets
from ocpp.messages import Call, MessageType, validate_payload

from samples import sample

VERSION = sys.argv[1]
PACKAGE = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}[VERSION]
PATIENCE_S = 20
SCHEMAS = pathlib.Path(ocpp.__file__).parent / PACKAGE / "schemas"
REQUEST = "" if VERSION == "1.6" else "Request"
ChargePoint = importlib.import_module(f"ocpp.{PACKAGE}").ChargePoint

# Said by stations; everything else in the schemas is an order.
NEWS = set("""
    Authorize BatterySwap BootNotification ClearedChargingLimit DiagnosticsStatusNotification FirmwareStatusNotification
    Get15118EVCertificate GetCertificateChainStatus GetCertificateStatus Heartbeat LogStatusNotification MeterValues
    NotifyChargingLimit NotifyCustomerInformation NotifyDERAlarm NotifyDERStartStop NotifyDisplayMessages
    NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent NotifyMonitoringReport NotifyPeriodicEventStream
    NotifyPriorityCharging NotifyReport NotifySettlement NotifyWebPaymentStarted OpenPeriodicEventStream
    ClosePeriodicEventStream PublishFirmwareStatusNotification PullDynamicScheduleUpdate ReportChargingProfiles
    ReportDERControl ReservationStatusUpdate SecurityEventNotification SignCertificate SignedFirmwareStatusNotification
    StartTransaction StatusNotification StopTransaction TransactionEvent VatNumberValidation
""".split())
# What the schemas leave open and the standard's text wants (2.0.1 part 2, N09; 2.1 part 2, TariffType).
TARIFF = {"tariffId": "T1", "currency": "EUR"}
WANTED = {
    "CustomerInformation": {"customerIdentifier": "C1"},
    "SetDefaultTariff": {"tariff": TARIFF},
    "ChangeTransactionTariff": {"tariff": TARIFF},
}
# These may take the station off the line, so they come last, in this order.
LAST = ["UpdateFirmware", "SignedUpdateFirmware", "Reset"]

done = asyncio.Event()
ordered = False


def step(name, **facts):
    print(json.dumps({"step": name, **facts}), flush=True)


def schema(name):
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8-sig"))


def made(name):
    root = schema(name)
    return sample(root, root, False)


def token(payload):
    return payload.get("idTag") or payload.get("idToken", {}).get("idToken")


def orders():
    names = {path.stem for path in SCHEMAS.glob("*.json") if not path.stem.endswith("Response")}
    names = {name.removesuffix(REQUEST) if REQUEST else name for name in names}
    # an event stream's news is never answered and belongs to the station
    names = {name for name in names if (SCHEMAS / f"{name}Response.json").exists()} - NEWS
    return sorted(names - set(LAST)) + [name for name in LAST if name in names]


def fail(why):
    step("failed", why=why)
    done.set()


class Station(ChargePoint):
    async def _handle_call(self, msg):
        try:
            await validate_payload(msg, self._ocpp_version)
            step("heard", action=msg.action, token=token(msg.payload))
            answer = made(f"{msg.action}Response")
            if msg.action == "BootNotification":
                now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
                answer |= {"status": "Accepted", "interval": 300, "currentTime": now}
            response = msg.create_call_result(answer)
            await validate_payload(response, self._ocpp_version)
            await self._send(response.to_json())
        except Exception as fault:
            fail(f"{msg.action}: {fault}")
            raise
        ended = msg.action == "StopTransaction" or msg.payload.get("eventType") == "Ended"
        if ended:
            asyncio.create_task(self.give())

    async def give(self):
        global ordered
        if ordered:
            return
        ordered = True
        try:
            for action in orders():
                await self.order(action)
            step("done")
        except Exception as fault:
            fail(f"{type(fault).__name__}: {fault}")
        done.set()

    async def order(self, action):
        call = Call(str(uuid.uuid4()), action, made(action + REQUEST) | WANTED.get(action, {}))
        await validate_payload(call, self._ocpp_version)
        async with self._call_lock:
            await self._send(call.to_json())
            answer = await self._get_specific_response(call.unique_id, PATIENCE_S)
        if answer.message_type_id == MessageType.CallError:
            step("answered", action=action, error=answer.error_code)
            return
        answer.action = action
        await validate_payload(answer, self._ocpp_version)
        step("answered", action=action, answer=answer.payload)


async def welcome(socket):
    identity = socket.request.path.rsplit("/", 1)[1]
    step("open", identity=identity, offered=socket.request.headers.get("Sec-WebSocket-Protocol"))
    try:
        await Station(identity, socket).start()
    except websockets.ConnectionClosed:
        step("closed")


def tls():
    if len(sys.argv) < 3:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    return context


async def main():
    async with websockets.serve(welcome, "127.0.0.1", 0, ssl=tls(), subprotocols=[f"ocpp{VERSION}"]) as server:
        step("listening", port=server.sockets[0].getsockname()[1])
        await done.wait()


if __name__ == "__main__":
    logging.disable()
    try:
        asyncio.run(main())
    except Exception:
        traceback.print_exc()
        sys.exit(1)
