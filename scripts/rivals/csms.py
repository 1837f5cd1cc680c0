#!/usr/bin/env python3
"""A central system on the PyPI package `ocpp` over `websockets`, for `make rivals`: OCPP 1.6 over TLS, answers and keeps nothing.

Says where it listens in one line, and lives as long as its standard input is open.

    csms.py IDENTITY.pem
"""
import asyncio
import logging
import os
import ssl
import sys
import threading
from datetime import datetime, timezone

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result

BACKLOG = 4096
ACCEPTED = {"status": "Accepted"}


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


class Station(ChargePoint):
    transactions = 0

    @on("BootNotification")
    def boot(self, **_said):
        return call_result.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("Heartbeat")
    def heartbeat(self):
        return call_result.Heartbeat(current_time=now())

    @on("StatusNotification")
    def status(self, **_said):
        return call_result.StatusNotification()

    @on("MeterValues")
    def meter_values(self, **_said):
        return call_result.MeterValues()

    @on("StartTransaction")
    def begin(self, **_said):
        Station.transactions += 1
        return call_result.StartTransaction(transaction_id=Station.transactions, id_tag_info=ACCEPTED)

    @on("StopTransaction")
    def end(self, **_said):
        return call_result.StopTransaction(id_tag_info=ACCEPTED)


async def serve(socket):
    try:
        await Station(socket.request.path.rsplit("/", 1)[-1], socket).start()
    except websockets.ConnectionClosed:
        pass


def end_with_the_loader():
    sys.stdin.buffer.read()
    os._exit(0)


async def main():
    logging.disable(logging.CRITICAL)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1])
    listening = websockets.serve(serve, "127.0.0.1", 0, ssl=tls, subprotocols=["ocpp1.6"], backlog=BACKLOG, compression=None)
    async with listening as server:
        host, port = server.sockets[0].getsockname()[:2]
        print(f"listening on {host}:{port}", flush=True)
        threading.Thread(target=end_with_the_loader, daemon=True).start()
        await asyncio.Future()


asyncio.run(main())
