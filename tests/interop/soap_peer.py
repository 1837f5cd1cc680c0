#!/usr/bin/env python3
"""A foreign station or central system for OCPP 1.5 and 1.6 over SOAP, made of the official WSDLs with zeep.

It calls the other side's service strictly (zeep raises where a name space, an order or an element is wrong) and serves
its own: every body that comes is validated against the schema in the WSDL, values and lengths included. Both ways go
over mutual TLS. One JSON line per step on standard output.

  station: calls all ten operations at once, then answers orders until standard input ends.
  central: answers messages; calls the station whose address comes on standard input.
"""
import argparse
import datetime
import glob
import json
import ssl
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.transports import Transport

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
XSD = "http://www.w3.org/2001/XMLSchema"

parser = argparse.ArgumentParser()
parser.add_argument("role", choices=["station", "central"])
parser.add_argument("version", choices=["1.5", "1.6"])
parser.add_argument("wsdl", help="folder of the version's two WSDLs")
parser.add_argument("--id", required=True)
parser.add_argument("--ca", required=True)
parser.add_argument("--identity", required=True, help="client certificate and key in one file")
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--url", help="the central system's address, for a station")
wish = parser.parse_args()
SCHEMAS = {}
WSDLS = {}
for path in glob.glob(f"{wish.wsdl}/*.wsdl"):
    for schema in etree.parse(path).iter(f"{{{XSD}}}schema"):
        space = schema.get("targetNamespace")
        SCHEMAS[space] = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))
        WSDLS["central" if "/Cs/" in space else "station"] = (path, space)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def stamp():
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def say(step, **more):
    print(json.dumps({"step": step, **more}), flush=True)


def answer_of(operation):
    """The inside of a valid answer, by the operation's name."""
    tag = "<idTagInfo><status>Accepted</status></idTagInfo>"
    interval = "heartbeatInterval" if wish.version == "1.5" else "interval"
    unlocked = "Accepted" if wish.version == "1.5" else "Unlocked"
    return {
        "authorize": tag,
        "bootNotification": f"<status>Accepted</status><currentTime>{stamp()}</currentTime><{interval}>60</{interval}>",
        "heartbeat": f"<currentTime>{stamp()}</currentTime>",
        "startTransaction": f"<transactionId>7</transactionId>{tag}",
        "stopTransaction": tag,
        "statusNotification": "",
        "meterValues": "",
        "firmwareStatusNotification": "",
        "diagnosticsStatusNotification": "",
        "getConfiguration": "<configurationKey><key>k</key><readonly>true</readonly><value>v</value></configurationKey>",
        "getDiagnostics": "<fileName>f</fileName>",
        "getLocalListVersion": "<listVersion>3</listVersion>",
        "unlockConnector": f"<status>{unlocked}</status>",
        "updateFirmware": "",
        "getCompositeSchedule": "<status>Rejected</status>",
    }.get(operation, "<status>Accepted</status>")


class Served(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        envelope = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True))
        header = {etree.QName(part).localname: "".join(part.itertext()).strip()
                  for part in envelope.find(f"{{{SOAP}}}Header")}
        body = envelope.find(f"{{{SOAP}}}Body")[0]
        name = etree.QName(body)
        operation = name.localname.removesuffix("Request")
        schema = SCHEMAS.get(name.namespace)
        problem = None
        if schema is None or name.namespace != WSDLS[wish.role][1]:
            problem = f"another name space: {name.namespace}"
        elif not schema.validate(etree.fromstring(etree.tostring(body))):
            problem = schema.error_log.last_error.message
        elif header.get("Action") != "/" + operation[0].upper() + operation[1:]:
            problem = f"the action is {header.get('Action')}"
        elif header.get("chargeBoxIdentity") != wish.id:
            problem = f"the identity is {header.get('chargeBoxIdentity')}"
        say("served", operation=operation, problem=problem, sender=header.get("From"))
        inside = f'<{operation}Response xmlns="{name.namespace}">{answer_of(operation)}</{operation}Response>'
        text = (f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{SOAP}" xmlns:w="{WSA}"><e:Header>'
                f'<w:Action>/{operation[0].upper() + operation[1:]}Response</w:Action>'
                f'<w:MessageID>urn:uuid:{uuid.uuid4()}</w:MessageID><w:To>{WSA}/anonymous</w:To>'
                f'<w:RelatesTo>{header.get("MessageID", "")}</w:RelatesTo></e:Header>'
                f'<e:Body>{inside}</e:Body></e:Envelope>').encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, address):
        # in the thread of the connection: a peer that only looks whether somebody listens holds nobody up
        try:
            request = tls.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        super().finish_request(request, address)

    def handle_error(self, request, address):
        pass


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(wish.server)
tls.load_verify_locations(wish.ca)
tls.verify_mode = ssl.CERT_REQUIRED
server = Server(("127.0.0.1", 0), Served)
threading.Thread(target=server.serve_forever, daemon=True).start()
own = f"https://127.0.0.1:{server.server_port}/"
say("listening", url=own)


def service(other, url, identity=wish.id):
    """The other side's service, and the headers that OCPP wants beyond those that zeep writes by itself."""
    path, space = WSDLS[other]
    http = requests.Session()
    http.trust_env = False
    http.verify = wish.ca
    http.cert = wish.identity
    client = Client(path, settings=Settings(strict=True), transport=Transport(session=http))
    box = etree.Element(f"{{{space}}}chargeBoxIdentity")
    box.text = identity
    sender = etree.Element(f"{{{WSA}}}From")
    etree.SubElement(sender, f"{{{WSA}}}Address").text = own
    reply = etree.Element(f"{{{WSA}}}ReplyTo")
    etree.SubElement(reply, f"{{{WSA}}}Address").text = WSA + "/anonymous"
    proxy = client.create_service(next(iter(client.wsdl.bindings)), url)

    def call(operation, **values):
        try:
            heard = getattr(proxy, operation)(_soapheaders=[box, sender, reply], **values)
            say("called", operation=operation, answer=str(heard), fault=None)
            return heard
        except Fault as fault:
            subcode = fault.subcodes[0].localname if fault.subcodes else None
            say("called", operation=operation, answer=None, fault=subcode, reason=fault.message)
            return None
    return call


def as_station():
    call = service("central", wish.url)
    values = {"timestamp": now()}
    if wish.version == "1.5":
        values["value"] = [{"_value_1": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        readings = {"values": [values]}
        data = {"transactionData": [readings]}
    else:
        values["sampledValue"] = [{"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        readings = {"meterValue": [values]}
        data = {"transactionData": [values], "reason": "Local"}
    call("BootNotification", chargePointVendor="zeep", chargePointModel="WSDL", firmwareVersion="4.3.3")
    call("Heartbeat")
    call("StatusNotification", connectorId=1, status="Available", errorCode="NoError", timestamp=now())
    call("Authorize", idTag="TAG001")
    started = call("StartTransaction", connectorId=1, idTag="TAG001", timestamp=now(), meterStart=500)
    number = started.transactionId if started else 0
    call("MeterValues", connectorId=1, transactionId=number, **readings)
    call("StopTransaction", transactionId=number, idTag="TAG001", timestamp=now(), meterStop=1500, **data)
    call("FirmwareStatusNotification", status="Installed")
    call("DiagnosticsStatusNotification", status="Uploaded")
    call("DataTransfer", vendorId="zeep", data="d")
    service("central", wish.url, "ANOTHER")("Heartbeat")
    say("done")
    sys.stdin.read()


def as_central():
    address = sys.stdin.readline().strip()
    call = service("station", address)
    call("Reset", type="Soft")
    call("UnlockConnector", connectorId=1)
    call("ChangeAvailability", connectorId=1, type="Inoperative")
    call("ClearCache")
    call("ChangeConfiguration", key="k", value="v")
    call("GetConfiguration", key=["k"])
    call("RemoteStartTransaction", idTag="TAG001", connectorId=1)
    call("RemoteStopTransaction", transactionId=7)
    call("CancelReservation", reservationId=3)
    call("DataTransfer", vendorId="zeep", messageId="m", data="d")
    call("GetDiagnostics", location="ftp://x/y", startTime=now(), retries=1)
    call("GetLocalListVersion")
    call("ReserveNow", connectorId=1, expiryDate=now(), idTag="TAG001", reservationId=3)
    entries = [{"idTag": "TAG001", "idTagInfo": {"status": "Accepted"}}]
    list_name = "localAuthorisationList" if wish.version == "1.5" else "localAuthorizationList"
    call("SendLocalList", updateType="Full", listVersion=1, **{list_name: entries})
    call("UpdateFirmware", location="https://x/y", retrieveDate=now())
    if wish.version == "1.6":
        call("TriggerMessage", requestedMessage="Heartbeat")
        periods = [{"startPeriod": 0, "limit": "16.5"}]
        profile = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": periods},
        }
        call("SetChargingProfile", connectorId=1, csChargingProfiles=profile)
        call("ClearChargingProfile", id=1)
        call("GetCompositeSchedule", connectorId=1, duration=60)
    service("station", address, "ANOTHER")("Reset", type="Hard")
    say("done")


as_station() if wish.role == "station" else as_central()
