#!/usr/bin/env python3
"""A foreign operator and a foreign provider for OICP 2.0, made of the official WSDLs with zeep, over mutual TLS.

It asks a broker strictly (zeep raises where a name space, an order or an element is wrong) and serves what a broker asks an
operator and a provider; every body that comes, as question or as answer, is validated against the schemas. One JSON line per
step on standard output; the broker's address comes on standard input once somebody knows ours.
"""
import argparse
import copy
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

from oicp_samples import EVCO, EVSE, RECORD, SERVICES, SUMMER, UID, VERDICT, YES, cdr, evco, rfid

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 2.0")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--operator", required=True, help="client certificate and key in one file")
parser.add_argument("--provider", required=True, help="client certificate and key in one file")
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
    """A body that the schemas refuse ends the script."""
    alone = etree.ElementTree(copy.deepcopy(body))
    schema = SCHEMAS[etree.QName(body).namespace]
    if not schema.validate(alone):
        say("invalid", why=str(schema.error_log.last_error), body=etree.tostring(body).decode())
        raise SystemExit(1)


class Judge(Plugin):
    def ingress(self, envelope, http_headers, operation):
        judge(envelope.find(f"{{{SOAP}}}Body")[0])
        return envelope, http_headers


ANSWERS = {
    "eRoamingAuthorizeStart": VERDICT,
    "eRoamingAuthorizeStop": VERDICT,
    "eRoamingAuthorizeRemoteStart": YES,
    "eRoamingAuthorizeRemoteStop": YES,
    "eRoamingChargeDetailRecord": YES,
}


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
        say("served", op=name, path=self.path.rsplit("/", 1)[-1])
        answer = dict(ANSWERS[name], SessionID=asked["SessionID"])
        envelope = etree.Element(f"{{{SOAP}}}Envelope")
        op.output.body.render(etree.SubElement(envelope, f"{{{SOAP}}}Body"), op.output.body(**answer))
        out = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *_):
        pass


class Partner:
    """A partner's way to the broker."""

    def __init__(self, base, certificate):
        self.base = base
        self.session = requests.Session()
        self.session.verify, self.session.cert, self.session.trust_env = wish.ca, certificate, False

    def service(self, name):
        wsdl = f"{wish.wsdl}/{name}_service-definition.wsdl"
        service = zeep.Client(wsdl, transport=Transport(session=self.session), plugins=[Judge()]).service
        service._binding_options["address"] = f"{self.base}/ibis/ws/{name}"
        return service


def places(operator, provider):
    data = {"OperatorID": "DE*OCI", "OperatorName": "Old", "EvseDataRecord": [RECORD]}
    pushed = operator.service("eRoamingEvseData_V2.0").eRoamingPushEvseData(ActionType="fullLoad", OperatorEvseData=data)
    say("places", result=pushed["Result"], code=pushed["StatusCode"]["Code"])
    status = {"OperatorID": "DE*OCI", "EvseStatusRecord": [{"EvseId": EVSE, "EvseStatus": "Occupied"}]}
    live = operator.service("eRoamingEvseStatus_V2.0")
    say("status", result=live.eRoamingPushEvseStatus(ActionType="update", OperatorEvseStatus=status)["Result"])
    fetched = provider.service("eRoamingEvseData_V2.0").eRoamingPullEvseData(
        ProviderID="DE-OCJ", GeoCoordinatesResponseFormat="DecimalDegree"
    )
    lists = fetched["EvseData"]["OperatorEvseData"]
    say("fetched", evses=[record["EvseId"] for one in lists for record in one["EvseDataRecord"]])
    look = provider.service("eRoamingEvseStatus_V2.0")
    given = look.eRoamingPullEvseStatus(ProviderID="DE-OCJ")["EvseStatuses"]["OperatorEvseStatus"]
    say("statuses", given=[[one["EvseId"], one["EvseStatus"]] for each in given for one in each["EvseStatusRecord"]])
    given = look.eRoamingPullEvseStatusById(ProviderID="DE-OCJ", EvseId=[EVSE])["EvseStatusRecords"]["EvseStatusRecord"]
    say("statuses", given=[[one["EvseId"], one["EvseStatus"]] for one in given])


def tokens(provider):
    record = {"Identification": rfid(UID)}
    data = {"ProviderID": "DE-OCJ", "AuthenticationDataRecord": [record]}
    service = provider.service("eRoamingAuthenticationData_V2.0")
    pushed = service.eRoamingPushAuthenticationData(ActionType="fullLoad", ProviderAuthenticationData=data)
    say("tokens", result=pushed["Result"], code=pushed["StatusCode"]["Code"])


def sessions(operator, provider):
    ask = operator.service("eRoamingAuthorization_V2.0")
    tap = lambda uid: ask.eRoamingAuthorizeStart(OperatorID="DE*OCI", EVSEID=EVSE, Identification=rfid(uid))
    stranger = tap("04FFFFFFFFFFFF")
    say("tapped", status=stranger["AuthorizationStatus"], code=stranger["StatusCode"]["Code"])
    verdict = tap(UID)
    session = verdict["SessionID"]
    say("tapped", status=verdict["AuthorizationStatus"], provider=verdict["ProviderID"], named=bool(session))
    stopped = ask.eRoamingAuthorizeStop(
        SessionID=session, OperatorID="DE*OCI", EVSEID=EVSE, Identification=rfid(UID)
    )
    say("stopped", status=stopped["AuthorizationStatus"])
    for _ in range(2):
        told = ask.eRoamingChargeDetailRecord(**cdr(session, rfid(UID), SUMMER))
        say("record", result=told["Result"], code=told["StatusCode"]["Code"])
    order = provider.service("eRoamingAuthorization_V2.0")
    started = order.eRoamingAuthorizeRemoteStart(ProviderID="DE-OCJ", EVSEID=EVSE, Identification=evco(EVCO))
    say("started", result=started["Result"], named=bool(started["SessionID"]))
    ended = order.eRoamingAuthorizeRemoteStop(SessionID=started["SessionID"], ProviderID="DE-OCJ", EVSEID=EVSE)
    say("ended", result=ended["Result"])


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(wish.server)
context.load_verify_locations(wish.ca)
context.verify_mode = ssl.CERT_REQUIRED
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
say("listening", url=f"https://127.0.0.1:{server.server_address[1]}")
base = sys.stdin.readline().strip()
operator, provider = Partner(base, wish.operator), Partner(base, wish.provider)
places(operator, provider)
tokens(provider)
sessions(operator, provider)
say("done")
