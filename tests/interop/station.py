#!/usr/bin/env python3
"""A charging station that is not ours, built on the PyPI package `ocpp`: OCPP 1.6, 2.0.1 or 2.1 over TLS.

It boots, authorises, runs one session with meter values, waits for a remote start and a remote stop, and leaves.
The package checks every message in both directions against the official schemas. Each step prints one JSON line;
the exit status is 0 only if every answer came and was what it had to be.

    station.py 1.6   wss://localhost:PORT/ocpp ID --ca root.pem --password-file FILE --tag UID
    station.py 2.0.1 wss://localhost:PORT/ocpp ID --ca root.pem --identity FILE --tag UID
"""

import argparse
import asyncio
import base64
import json
import ssl
import sys
import uuid
from datetime import datetime, timezone

import websockets
from ocpp.routing import after, on

PATIENCE_S = 30

parser = argparse.ArgumentParser()
parser.add_argument("version", choices=["1.6", "2.0.1", "2.1"])
parser.add_argument("url")
parser.add_argument("id")
parser.add_argument("--ca", required=True)
parser.add_argument("--password-file")
parser.add_argument("--identity", help="key and certificate in one PEM file")
parser.add_argument("--tag", required=True)
parser.add_argument("--serial", default=None)
args = parser.parse_args()


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def step(name, **facts):
    print(json.dumps({"step": name, **facts}), flush=True)


def must(condition, what):
    if not condition:
        raise SystemExit(f"station.py: {what}")


if args.version == "1.6":
    from ocpp.v16 import ChargePoint, call, call_result

    class Station(ChargePoint):
        """Knows nothing of the network behind its operator."""

        def prepare(self):
            self.orders = asyncio.Queue()

        @on("RemoteStartTransaction")
        async def remote_start(self, id_tag, connector_id=None, **_):
            return call_result.RemoteStartTransaction(status="Accepted")

        @after("RemoteStartTransaction")
        async def remotely_started(self, id_tag, connector_id=None, **_):
            await self.orders.put(("start", id_tag))

        @on("RemoteStopTransaction")
        async def remote_stop(self, transaction_id):
            return call_result.RemoteStopTransaction(status="Accepted")

        @after("RemoteStopTransaction")
        async def remotely_stopped(self, transaction_id):
            await self.orders.put(("stop", transaction_id))

        @on("GetConfiguration")
        async def configuration(self, key=None):
            known = [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
            return call_result.GetConfiguration(configuration_key=known, unknown_key=[])

        @on("TriggerMessage")
        async def trigger(self, **_):
            return call_result.TriggerMessage(status="Accepted")

        async def boot(self):
            heard = await self.call(
                call.BootNotification(
                    charge_point_model="Foreign", charge_point_vendor="Python", charge_point_serial_number=args.serial
                ),
                suppress=False,
            )
            must(heard.status == "Accepted", f"boot was answered {heard.status}")
            await self.status("Available")
            step("boot", interval=heard.interval)

        async def status(self, state):
            report = call.StatusNotification(connector_id=1, error_code="NoError", status=state, timestamp=now())
            await self.call(report, suppress=False)

        async def authorize(self, tag):
            heard = await self.call(call.Authorize(id_tag=tag), suppress=False)
            return heard.id_tag_info["status"]

        async def session(self, tag, meter):
            begun = await self.call(
                call.StartTransaction(connector_id=1, id_tag=tag, meter_start=meter, timestamp=now()), suppress=False
            )
            must(begun.id_tag_info["status"] == "Accepted", f"start was answered {begun.id_tag_info}")
            await self.status("Charging")
            for wh in (400, 900):
                sampled = [
                    {"value": str(meter + wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                    {"value": "11000", "measurand": "Power.Active.Import", "unit": "W"},
                ]
                values = [{"timestamp": now(), "sampledValue": sampled}]
                await self.call(
                    call.MeterValues(connector_id=1, transaction_id=begun.transaction_id, meter_value=values),
                    suppress=False,
                )
            return begun.transaction_id

        async def end(self, transaction, tag, meter, reason):
            await self.call(
                call.StopTransaction(
                    transaction_id=transaction, id_tag=tag, meter_stop=meter, timestamp=now(), reason=reason
                ),
                suppress=False,
            )
            await self.status("Available")

else:
    if args.version == "2.0.1":
        from ocpp.v201 import ChargePoint, call, call_result
    else:
        from ocpp.v21 import ChargePoint, call, call_result

    class Station(ChargePoint):
        """Knows nothing of the network behind its operator."""

        def prepare(self):
            self.orders = asyncio.Queue()
            self.seq = 0
            self.remote_start_id = None

        @on("RequestStartTransaction")
        async def remote_start(self, id_token, remote_start_id, **_):
            return call_result.RequestStartTransaction(status="Accepted")

        @after("RequestStartTransaction")
        async def remotely_started(self, id_token, remote_start_id, **_):
            self.remote_start_id = remote_start_id
            await self.orders.put(("start", id_token["id_token"]))

        @on("RequestStopTransaction")
        async def remote_stop(self, transaction_id, **_):
            return call_result.RequestStopTransaction(status="Accepted")

        @after("RequestStopTransaction")
        async def remotely_stopped(self, transaction_id, **_):
            await self.orders.put(("stop", transaction_id))

        @on("GetVariables")
        async def variables(self, get_variable_data, **_):
            unknown = [
                {"attribute_status": "UnknownVariable", "component": d["component"], "variable": d["variable"]}
                for d in get_variable_data
            ]
            return call_result.GetVariables(get_variable_result=unknown)

        @on("GetBaseReport")
        async def base_report(self, **_):
            return call_result.GetBaseReport(status="NotSupported")

        @on("TriggerMessage")
        async def trigger(self, **_):
            return call_result.TriggerMessage(status="Accepted")

        async def boot(self):
            station = {"model": "Foreign", "vendor_name": "Python"}
            if args.serial:
                station["serial_number"] = args.serial
            heard = await self.call(call.BootNotification(charging_station=station, reason="PowerUp"), suppress=False)
            must(heard.status == "Accepted", f"boot was answered {heard.status}")
            await self.status("Available")
            step("boot", interval=heard.interval)

        async def status(self, state):
            report = call.StatusNotification(timestamp=now(), connector_status=state, evse_id=1, connector_id=1)
            await self.call(report, suppress=False)

        async def authorize(self, tag):
            heard = await self.call(call.Authorize(id_token={"id_token": tag, "type": "ISO14443"}), suppress=False)
            return heard.id_token_info["status"]

        async def event(self, kind, trigger, transaction, **rest):
            sent = call.TransactionEvent(
                event_type=kind, timestamp=now(), trigger_reason=trigger, seq_no=self.seq,
                transaction_info={"transaction_id": transaction, **rest.pop("info", {})}, **rest,
            )
            self.seq += 1
            return await self.call(sent, suppress=False)

        async def session(self, tag, meter):
            transaction = str(uuid.uuid4())
            self.seq = 0
            remote = self.remote_start_id is not None
            kind = "Central" if remote else "ISO14443"
            info = {"remote_start_id": self.remote_start_id} if remote else {}
            heard = await self.event(
                "Started", "RemoteStart" if remote else "Authorized", transaction, info=info,
                evse={"id": 1, "connector_id": 1}, id_token={"id_token": tag, "type": kind},
                meter_value=self.register(meter, "Transaction.Begin"),
            )
            self.remote_start_id = None
            must(heard.id_token_info["status"] == "Accepted", f"start was answered {heard.id_token_info}")
            await self.status("Occupied")
            for wh in (400, 900):
                await self.event(
                    "Updated", "MeterValuePeriodic", transaction, info={"charging_state": "Charging"},
                    meter_value=self.register(meter + wh, "Sample.Periodic"),
                )
            return transaction

        async def end(self, transaction, tag, meter, reason):
            trigger = "RemoteStop" if reason == "Remote" else "StopAuthorized"
            await self.event(
                "Ended", trigger, transaction, info={"stopped_reason": reason},
                meter_value=self.register(meter, "Transaction.End"),
            )
            await self.status("Available")

        @staticmethod
        def register(wh, context):
            sampled = [
                {"value": float(wh), "measurand": "Energy.Active.Import.Register", "context": context,
                 "unit_of_measure": {"unit": "Wh"}}
            ]
            return [{"timestamp": now(), "sampled_value": sampled}]


async def life(station):
    await station.boot()
    refused = await station.authorize("00000000DEAD")
    must(refused != "Accepted", "a token that nobody owns was accepted")
    step("unknown-token", status=refused)
    status = await station.authorize(args.tag)
    must(status == "Accepted", f"the card was answered {status}")
    step("authorize")
    transaction = await station.session(args.tag, 1_000)
    await station.end(transaction, args.tag, 2_234, "Local")
    step("session", transaction=str(transaction), wh=1_234)

    step("waiting-for-remote-start")
    kind, alias = await asyncio.wait_for(station.orders.get(), PATIENCE_S)
    must(kind == "start", f"an order to {kind} came instead of a start")
    must(alias.upper() != args.tag.upper(), "the operator sent the driver's card to the station")
    must(len(alias) <= 20, "the alias does not fit an idTag")
    transaction = await station.session(alias, 3_000)
    step("remote-start", transaction=str(transaction))
    kind, which = await asyncio.wait_for(station.orders.get(), PATIENCE_S)
    must(kind == "stop" and str(which) == str(transaction), f"wanted a stop of {transaction}, got {kind} {which}")
    await station.end(transaction, alias, 4_000, "Remote")
    step("remote-stop")


async def main():
    context = ssl.create_default_context(cafile=args.ca)
    headers = {}
    if args.identity:
        context.load_cert_chain(args.identity)
    if args.password_file:
        with open(args.password_file, encoding="utf-8") as file:
            pair = f"{args.id}:{file.read().strip()}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    async with websockets.connect(
        f"{args.url}/{args.id}", subprotocols=["ocpp" + args.version], additional_headers=headers, ssl=context
    ) as socket:
        must(socket.subprotocol == "ocpp" + args.version, f"subprotocol {socket.subprotocol}")
        station = Station(args.id, socket)
        station.prepare()
        reader = asyncio.create_task(station.start())
        living = asyncio.create_task(life(station))
        done, _ = await asyncio.wait({reader, living}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        must(living in done, "the operator closed the connection")
        reader.cancel()
    step("done")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Exception as fault:  # every fault of the peer ends here, by its name
        sys.exit(f"station.py: {type(fault).__name__}: {fault}")
