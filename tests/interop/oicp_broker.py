#!/usr/bin/env python3
"""A foreign broker of OICP 2.0 with a foreign operator and a foreign provider behind it, made of the official WSDLs with
zeep, over mutual TLS.

It takes what an operator and a provider push, gives out the place of its own operator, knows one token, names the sessions,
and comes to its members itself; every body that comes, as question or as answer, is validated against the schemas. Told a
line on standard input, its partners act: `start ADDRESS EVSE` and `stop ADDRESS EVSE` (the provider, at a member that is an
operator), `tap ADDRESS UID` and `bill ADDRESS tap|start` (the operator, at a member that is a provider; of the tap, or of
the start that it was ordered). One JSON line per step on standard output.
"""
import argparse
import copy
import datetime
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import zeep
from lxml import etree
from zeep.plugins import Plugin
from zeep.transports import Transport

from oicp_samples import EVCO, EVSE, GOOD, RECORD, SERVICES, VERDICT, YES, cdr, evco, rfid

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
AUTHORIZATION = "eRoamingAuthorization_V2.0"
# what it names the sessions that its members begin and that its own partners begin
NAMED = "f98efba4-02d8-4fa0-b810-9a9d50d2c5"
sessions = (f"{NAMED}{number:02x}" for number in range(1, 256))

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 2.0")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--client", required=True, help="client certificate and key with which it comes, in one file")
parser.add_argument("--token", help="the uid that may charge at a member that is an operator")
wish = parser.parse_args()
files = [f"{service}.xsd" for service in SERVICES] + ["eRoamingCommonTypes_V2.0.xsd"]
trees = [etree.parse(f"{wish.wsdl}/RelatedSchemas/{file}") for file in files]
SCHEMAS = {tree.getroot().get("targetNamespace"): etree.XMLSchema(tree) for tree in trees}
clients = {service: zeep.Client(f"{wish.wsdl}/{service}_service-definition.wsdl") for service in SERVICES}
OPS = {
    op.input.body.qname.text: (op, client)
    for client in clients.values()
    for service in client.wsdl.services.values()
    for port in service.ports.values()
    for op in port.binding._operations.values()
}


def say(step, **more):
    # one write a line: the server speaks from threads of its own
    sys.stdout.write(json.dumps({"step": step, **more}, default=str) + "\n")
    sys.stdout.flush()


def judge(body):
    """A body that the schemas refuse is told, and ends the test."""
    schema = SCHEMAS[etree.QName(body).namespace]
    if not schema.validate(etree.ElementTree(copy.deepcopy(body))):
        say("failed", why=str(schema.error_log.last_error))


class Judge(Plugin):
    def ingress(self, envelope, http_headers, operation):
        judge(envelope.find(f"{{{SOAP}}}Body")[0])
        return envelope, http_headers


ordered = {}


def given():
    return [{"OperatorID": "DE*OCI", "OperatorName": "Old", "EvseDataRecord": [RECORD]}]


def answer(name, asked):
    if name == "eRoamingPullEvseData":
        return {"EvseData": {"OperatorEvseData": given()}, "StatusCode": GOOD}
    if name == "eRoamingPullEvseStatus":
        free = {"OperatorID": "DE*OCI", "EvseStatusRecord": [{"EvseId": EVSE, "EvseStatus": "Available"}]}
        return {"EvseStatuses": {"OperatorEvseStatus": [free]}, "StatusCode": GOOD}
    if name == "eRoamingAuthorizeStart":
        if asked["Identification"]["RFIDmifarefamilyIdentification"]["UID"] == wish.token:
            return {**VERDICT, "SessionID": next(sessions)}
        return {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": "102"}}
    if name == "eRoamingAuthorizeStop":
        return {**VERDICT, "SessionID": asked["SessionID"]}
    if name == "eRoamingAuthorizeRemoteStart":
        ordered.update(
            session=next(sessions),
            contract=asked["Identification"]["RemoteIdentification"]["EVCOID"],
            at=datetime.datetime.now(datetime.timezone.utc),
        )
        return {**YES, "SessionID": ordered["session"]}
    if name == "eRoamingAuthorizeRemoteStop":
        return {**YES, "SessionID": asked["SessionID"]}
    return YES


def told(name, asked):
    """What the test looks at."""
    if name == "eRoamingPushEvseData":
        records = asked["OperatorEvseData"]["EvseDataRecord"]
        return {"evses": [record["EvseId"] for record in records]}
    if name == "eRoamingPushEvseStatus":
        records = asked["OperatorEvseStatus"]["EvseStatusRecord"]
        return {"given": [[record["EvseId"], record["EvseStatus"]] for record in records]}
    if name == "eRoamingPushAuthenticationData":
        records = asked["ProviderAuthenticationData"]["AuthenticationDataRecord"]
        return {"uids": [record["Identification"]["RFIDmifarefamilyIdentification"]["UID"] for record in records]}
    if name == "eRoamingAuthorizeRemoteStart":
        return {"evse": asked["EVSEID"], "contract": asked["Identification"]["RemoteIdentification"]["EVCOID"]}
    if name == "eRoamingAuthorizeRemoteStop":
        return {"session": asked["SessionID"]}
    if name == "eRoamingChargeDetailRecord":
        return {"session": asked["SessionID"], "evse": asked["EvseID"], "kwh": asked["ConsumedEnergy"]}
    return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        strict = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        body = etree.fromstring(raw, strict).find(f"{{{SOAP}}}Body")[0]
        judge(body)
        op, client = OPS[body.tag]
        asked = op.input.body.parse(body, client.wsdl.types)
        name = etree.QName(body).localname
        said = answer(name, asked)
        say("served", op=name, **told(name, asked))
        envelope = etree.Element(f"{{{SOAP}}}Envelope")
        op.output.body.render(etree.SubElement(envelope, f"{{{SOAP}}}Body"), op.output.body(**said))
        out = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *_):
        pass


def member(address):
    session = requests.Session()
    session.verify, session.cert, session.trust_env = wish.ca, wish.client, False
    wsdl = f"{wish.wsdl}/{AUTHORIZATION}_service-definition.wsdl"
    service = zeep.Client(wsdl, transport=Transport(session=session), plugins=[Judge()]).service
    service._binding_options["address"] = f"{address}/ibis/ws/{AUTHORIZATION}"
    return service


begun = {}


def start(address, evse):
    begun.update(session=next(sessions))
    wanted = {"SessionID": begun["session"], "ProviderID": "DE-OCJ", "EVSEID": evse, "Identification": evco(EVCO)}
    done = member(address).eRoamingAuthorizeRemoteStart(**wanted)
    say("ordered", result=done["Result"], code=done["StatusCode"]["Code"], session=begun["session"])


def stop(address, evse):
    done = member(address).eRoamingAuthorizeRemoteStop(SessionID=begun["session"], ProviderID="DE-OCJ", EVSEID=evse)
    say("ordered", result=done["Result"], code=done["StatusCode"]["Code"])


def tap(address, uid):
    tapped.update(session=next(sessions), uid=uid, at=datetime.datetime.now(datetime.timezone.utc))
    wanted = {"SessionID": tapped["session"], "OperatorID": "DE*OCI", "EVSEID": EVSE, "Identification": rfid(uid)}
    said = member(address).eRoamingAuthorizeStart(**wanted)
    say("tapped", status=said["AuthorizationStatus"], code=said["StatusCode"]["Code"], provider=said["ProviderID"])


def bill(address, what):
    of = tapped if what == "tap" else ordered
    identification = rfid(of["uid"]) if what == "tap" else evco(of["contract"])
    now = datetime.datetime.now(datetime.timezone.utc)
    record = cdr(of["session"], identification, [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (of["at"], now)])
    done = member(address).eRoamingChargeDetailRecord(**record)
    say("billed", result=done["Result"], code=done["StatusCode"]["Code"])


tapped = {}
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(wish.server)
context.load_verify_locations(wish.ca)
context.verify_mode = ssl.CERT_REQUIRED
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
say("listening", url=f"https://127.0.0.1:{server.server_address[1]}")
ACTIONS = {"start": start, "stop": stop, "tap": tap, "bill": bill}
for line in sys.stdin:
    what, *words = line.split()
    ACTIONS[what](*words)
