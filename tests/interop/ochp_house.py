#!/usr/bin/env python3
"""A foreign clearing house of OCHP 1.4 and a foreign provider of OCHPdirect, made of the official WSDLs with zeep.

It takes what an operator uploads, knows one token, and every body that comes is validated against the schemas. Told a line
on standard input, it orders over OCHPdirect: `start ADDRESS EVSE` and `stop ADDRESS`. One JSON line per step on standard
output.
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

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 1.4")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--token", required=True, help="the uid that may charge")
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
CONTRACT = "DE-OCP-C12345678-5"
OK = {"resultCode": {"resultCode": "ok"}, "resultDescription": "yes"}


def say(step, **more):
    # one write a line: the server speaks from threads of its own
    sys.stdout.write(json.dumps({"step": step, **more}, default=str) + "\n")
    sys.stdout.flush()


def judge(body):
    """A body that the schemas refuse is told, and ends the test."""
    if not schema.validate(etree.ElementTree(copy.deepcopy(body))):
        say("failed", why=str(schema.error_log.last_error))


class Judge(Plugin):
    def ingress(self, envelope, http_headers, operation):
        judge(envelope.find(f"{{{SOAP}}}Body")[0])
        return envelope, http_headers


def utc(**after):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**after)
    return {"DateTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def answer(name, asked):
    if name != "GetSingleRoamingAuthorisation":
        return {"result": OK}
    known = asked["emtId"]["instance"] == wish.token
    entry = {"EmtId": asked["emtId"], "contractId": CONTRACT, "expiryDate": utc(days=30)}
    return {"result": OK, "roamingAuthorisationInfo": entry if known else None}


def told(name, asked):
    """What the test looks at."""
    if name == "AddCDRs":
        one = asked["cdrInfoArray"][0]
        return {"evse": one["evseId"], "contract": one["contractId"], "cost": one["totalCost"]}
    if name == "InformProviderEMP":
        return {"contract": asked["contractId"], "message": asked["message"]["message"]}
    return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        strict = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        body = etree.fromstring(raw, strict).find(f"{{{SOAP}}}Body")[0]
        judge(body)
        op = OPS[body.tag]
        asked = op.input.body.parse(body, served.wsdl.types)
        say("served", op=op.name, **told(op.name, asked))
        envelope = etree.Element(f"{{{SOAP}}}Envelope")
        op.output.body.render(etree.SubElement(envelope, f"{{{SOAP}}}Body"), op.output.body(**answer(op.name, asked)))
        out = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *_):
        pass


def direct(address):
    session = requests.Session()
    session.verify, session.auth, session.trust_env = wish.ca, ("zeep", "theirs"), False
    client = zeep.Client(WSDL, transport=Transport(session=session), plugins=[Judge()])
    service = client.bind("e-clearing.net-OCHP-direct", "eCHS_Q-System-direct-Operator")
    service._binding_options["address"] = f"{address}/ochp/direct"
    return service


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(wish.server)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
say("listening", url=f"https://127.0.0.1:{server.server_address[1]}")
session = None
for line in sys.stdin:
    what, address, *evse = line.split()
    ask = direct(address)
    if what == "start":
        selected = ask.SelectEvse(evseId=evse[0], contractId=CONTRACT)
        session = selected["directId"]
        say("selected", code=selected["result"]["resultCode"]["resultCode"])
        done = ask.ControlEvse(directId=session, operation={"operation": "start"})
    else:
        done = ask.ControlEvse(directId=session, operation={"operation": "end"})
    say("ordered", what=what, code=done["result"]["resultCode"]["resultCode"])
