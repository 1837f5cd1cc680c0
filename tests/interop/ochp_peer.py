#!/usr/bin/env python3
"""A foreign operator and a foreign provider for OCHP 1.4 and OCHPdirect, made of the official WSDLs with zeep.

It asks a clearing house strictly (zeep raises where a name space, an order or an element is wrong) and serves both direct
interfaces; every body that comes, as question or as answer, is validated against the schemas. One JSON line per step on
standard output; the clearing house's address comes on standard input once somebody knows ours.
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
from zeep.wsse.username import UsernameToken

from ochp_samples import CONTRACT, POINT, TARIFF, UID, cdr, emt

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"
SERVICE = "e-clearing.net-OCHP-direct"

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 1.4")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
wish = parser.parse_args()
WSDL = f"{wish.wsdl}/ochp-direct.wsdl"
inline = next(etree.parse(WSDL).getroot().iter(SCHEMA))
schema = etree.XMLSchema(etree.ElementTree(etree.fromstring(etree.tostring(inline), base_url=f"{wish.wsdl}/")))
served = zeep.Client(WSDL)
OPS = {
    op.input.body.qname.text: op
    for service in served.wsdl.services.values()
    for port in service.ports.values()
    for op in port.binding._operations.values()
}


def say(step, **more):
    print(json.dumps({"step": step, **more}, default=str), flush=True)


def judge(body):
    """A body that the schemas refuse ends the script."""
    alone = etree.ElementTree(copy.deepcopy(body))
    if not schema.validate(alone):
        say("invalid", why=str(schema.error_log.last_error))
        raise SystemExit(1)


class Judge(Plugin):
    def ingress(self, envelope, http_headers, operation):
        judge(envelope.find(f"{{{SOAP}}}Body")[0])
        return envelope, http_headers


def utc(**after):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**after)
    return {"DateTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


OK = {"resultCode": {"resultCode": "ok"}, "resultDescription": "yes"}
DIRECT = {"result": OK, "directId": "OCH-1", "ttl": utc(hours=1)}
ANSWERS = {
    "SelectEvse": DIRECT,
    "ControlEvse": DIRECT,
    "ReleaseEvse": DIRECT,
    "InformProviderEMP": {"result": OK},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        strict = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        body = etree.fromstring(raw, strict).find(f"{{{SOAP}}}Body")[0]
        judge(body)
        op = OPS[body.tag]
        op.input.body.parse(body, served.wsdl.types)
        say("served", op=op.name, action=self.headers["SOAPAction"].strip('"') == op.soapaction)
        envelope = etree.Element(f"{{{SOAP}}}Envelope")
        answer = op.output.body(**ANSWERS[op.name])
        op.output.body.render(etree.SubElement(envelope, f"{{{SOAP}}}Body"), answer)
        out = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *_):
        pass


class House:
    """A partner's way to the clearing house."""

    def __init__(self, base, user):
        self.base, self.user = base, user

    def bind(self, port, path, wsse=None, auth=None):
        session = requests.Session()
        session.verify, session.auth, session.trust_env = wish.ca, auth, False
        client = zeep.Client(WSDL, wsse=wsse, transport=Transport(session=session), plugins=[Judge()])
        service = client.bind(SERVICE, port)
        service._binding_options["address"] = self.base + path
        return service

    def service(self, port="eCHS_Q-System"):
        return self.bind(port, "/ochp/1.4", wsse=UsernameToken(self.user, "secret"))

    def direct(self, side):
        return self.bind(f"eCHS_Q-System-direct-{side}", "/ochp/direct", auth=(self.user, "secret"))


def code(answer):
    result = answer["result"] if "result" in answer else answer
    return result["resultCode"]["resultCode"]


def lists(operator, provider):
    say("points", code=code(operator.SetChargepointList(chargePointInfoArray=[POINT])))
    say("tariffs", code=code(operator.UpdateTariffs(TariffInfoArray=[TARIFF])))
    entry = {"EmtId": emt(UID), "contractId": CONTRACT, "expiryDate": utc(days=30)}
    hashed = {**entry, "EmtId": emt("A9993E364706816ABA3E25717850C26C9CD0D89D", "sha-160")}
    say("tokens", code=code(provider.SetRoamingAuthorisationList(roamingAuthorisationInfoArray=[entry, hashed])))
    for uid in (UID, "abc", "04FFFF"):
        given = operator.GetSingleRoamingAuthorisation(emtId=emt(uid))
        said = given["roamingAuthorisationInfo"]
        say("word", code=code(given), contract=said and said["contractId"])
    say("list", given=len(operator.GetRoamingAuthorisationList()["roamingAuthorisationInfoArray"]))
    points = provider.GetChargePointList()["chargePointInfoArray"]
    say("given", points=[point["evseId"] for point in points])
    tariffs = provider.GetTariffUpdates()["TariffInfoArray"]
    say("given", tariffs=[tariff["tariffId"] for tariff in tariffs])


def records(operator, provider):
    name = {"cdrId": "DEOCH1", "evseId": "DE*OCH*E1"}
    waiting = lambda: [record["status"]["CdrStatusType"] for record in provider.GetCDRs()["cdrInfoArray"]]
    say("handed in", code=code(operator.AddCDRs(cdrInfoArray=[cdr("new")])), waiting=waiting())
    say("declined", code=code(provider.ConfirmCDRs(declined=[name])), waiting=waiting())
    declined = operator.CheckCDRs()["cdrInfoArray"]
    say("revised", code=code(operator.AddCDRs(cdrInfoArray=[cdr("revised")])), declined=len(declined), waiting=waiting())
    say("approved", code=code(provider.ConfirmCDRs(approved=[name])), waiting=waiting())


def live(operator, provider):
    evse = {"evseId": "DE*OCH*E1", "major": "not-available", "minor": "charging"}
    say("status", code=code(operator.service("eCHS_Q-System-live").UpdateStatus(evse=[evse], ttl=utc(minutes=5))))
    given = provider.service("eCHS_Q-System-live").GetStatus(statusType="evse")
    say("given", live=[[one["evseId"], one["major"], one["minor"]] for one in given["evse"] or []])
    endpoints = provider.service("eCHS_Q-System-direct").GetServiceEndpoints()
    say("endpoints", patterns=endpoints["operatorEndpointArray"][0]["whitelist"])


def direct(operator, provider):
    ask = provider.direct("Operator")
    selected = ask.SelectEvse(evseId="DE*OCH*E1", contractId=CONTRACT)
    session = selected["directId"]
    say("selected", code=code(selected))
    say("started", code=code(ask.ControlEvse(directId=session, operation={"operation": "start"})))
    told = operator.direct("Provider").InformProviderEMP(
        result=OK,
        message={"message": "start"},
        evseId="DE*OCH*E1",
        contractId=CONTRACT,
        directId="OCH-1",
        chargedEnergy=2.5,
    )
    say("told", code=code(told))
    progress = ask.InformProviderCPO(directId=session)
    say("progress", energy=progress["chargedEnergy"], same=progress["directId"] == session)
    say("released", code=code(ask.ReleaseEvse(directId=session)))


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(wish.server)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
say("listening", url=f"https://127.0.0.1:{server.server_address[1]}/direct")
base = sys.stdin.readline().strip()
operator, provider = House(base, "DE-OCH"), House(base, "DE-OCP")
lists(operator.service(), provider.service())
records(operator.service(), provider.service())
live(operator, provider)
direct(operator, provider)
say("done")
