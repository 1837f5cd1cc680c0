"""A party made of official WSDLs with zeep: what its peers send is validated against the schemas, what it serves is
rendered by the WSDLs, and every step is told as one JSON line.

What it answers is the party's own business; so is what it asks.
"""
import copy
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from lxml import etree
from zeep.plugins import Plugin
from zeep.transports import Transport

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"


def say(step, **more):
    # one write a line: the server speaks from threads of its own
    sys.stdout.write(json.dumps({"step": step, **more}, default=str) + "\n")
    sys.stdout.flush()


def schemas_of(*trees):
    """Schemas by the name space that each is for."""
    return {tree.getroot().get("targetNamespace"): etree.XMLSchema(tree) for tree in trees}


def schema_inside(wsdl):
    """The schema in a WSDL, which may include files beside it."""
    inline = next(etree.parse(wsdl).getroot().iter(SCHEMA))
    return schemas_of(etree.ElementTree(etree.fromstring(etree.tostring(inline), base_url=f"{wsdl.rpartition('/')[0]}/")))


class Judge(Plugin):
    """A body that the schemas refuse is told, and ends the test."""

    def __init__(self, schemas):
        self.schemas = schemas

    def judge(self, body):
        schema = self.schemas.get(etree.QName(body).namespace)
        if schema is None:
            say("failed", why=f"{body.tag} is in no schema")
        elif not schema.validate(etree.ElementTree(copy.deepcopy(body))):
            say("failed", why=str(schema.error_log.last_error))

    def ingress(self, envelope, http_headers, operation):
        self.judge(envelope.find(f"{{{SOAP}}}Body")[0])
        return envelope, http_headers


def operations(*clients):
    """What WSDLs describe, by the element that asks for it."""
    return {
        op.input.body.qname.text: (op, client)
        for client in clients
        for service in client.wsdl.services.values()
        for port in service.ports.values()
        for op in port.binding._operations.values()
    }


def transport(ca, certificate=None, login=None):
    """A way to a peer, which shows a certificate or a login."""
    session = requests.Session()
    session.verify, session.cert, session.auth, session.trust_env = ca, certificate, login, False
    return Transport(session=session)


def serve(judge, offered, answer, certificate, ca=None):
    """Serves what is offered, to whoever has a certificate of the authority where one is named; its own address.

    `answer` is given the operation, what it asks, and the request's path and headers.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            strict = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
            body = etree.fromstring(raw, strict).find(f"{{{SOAP}}}Body")[0]
            judge.judge(body)
            op, client = offered[body.tag]
            said = answer(op, op.input.body.parse(body, client.wsdl.types), self.path, self.headers)
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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_address[1]}"
