#!/usr/bin/env python3
"""A foreign clearing house of OCHP 1.4 with a foreign operator and a foreign provider of OCHPdirect, made of the official
WSDLs with zeep.

It takes what an operator and a provider upload, gives out the place, the tariff and the records of its own operator, and
every body that comes is validated against the schemas. Servers of OCHPdirect it takes and gives as well: its own partners
stand at `/direct` and are open to whoever comes with both tokens. Told a line on standard input, its partners act: `start
ADDRESS EVSE` and `stop ADDRESS` (the provider, with the agreed password), `order EVSE` and `end` (the provider, with the
tokens of the clearing house), `inform MESSAGE KWH` (the operator, of the session that it was ordered), `bill tap UID` and
`bill direct` (the operator's records). One JSON line per step on standard output.
"""
import argparse
import base64
import copy
import datetime
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import requests
import zeep
from lxml import etree
from zeep.plugins import Plugin
from zeep.transports import Transport

from ochp_samples import CONTRACT, POINT, TARIFF, cdr, emt

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 1.4")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--token", help="the uid that may charge at our operators")
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
AACHEN = ZoneInfo("Europe/Berlin")
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


def day(after):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=after)).strftime("%Y-%m-%d")


# what was uploaded: contracts by uid, servers by side and day; the records that wait; the session that was ordered
lock = threading.Lock()
listed, servers, waiting, ordered = {}, {}, [], {}


def own_server(date, pattern):
    """Where our partners are on a day."""
    return {
        "url": f"{base}/direct",
        "namespaceUrl": "http://ochp.eu/1.4",
        "accessToken": f"zeep-{date}",
        "validDate": date,
        "whitelist": [pattern],
    }


def uploaded(side, one):
    servers[side, one["validDate"]] = {"url": one["url"], "token": one["accessToken"], "whitelist": one["whitelist"]}


def given_servers():
    days = [day(0), day(1)]
    operators = [own_server(date, "DEOCHE%") for date in days]
    return {
        "result": OK,
        "operatorEndpointArray": operators,
        "providerEndpointArray": [own_server(date, "DEOCPC%") for date in days],
    }


def judged(asked):
    for what in ("approved", "declined"):
        for name in asked[what] or []:
            waiting[:] = [one for one in waiting if one["CdrId"] != name["cdrId"]]


def answer(name, asked):
    """What the clearing house, or the operator beside it, says."""
    if name == "GetSingleRoamingAuthorisation":
        known = asked["emtId"]["instance"] == wish.token
        entry = {"EmtId": asked["emtId"], "contractId": CONTRACT, "expiryDate": utc(days=30)}
        return {"result": OK, "roamingAuthorisationInfo": entry if known else None}
    if name == "GetChargePointList":
        return {"result": OK, "chargePointInfoArray": [POINT]}
    if name == "GetTariffUpdates":
        return {"result": OK, "TariffInfoArray": [TARIFF]}
    if name == "GetStatus":
        return {"evse": [{"evseId": POINT["evseId"], "major": "available", "minor": "available"}]}
    if name in ("SetRoamingAuthorisationList", "UpdateRoamingAuthorisationList"):
        for entry in asked["roamingAuthorisationInfoArray"]:
            listed[entry["EmtId"]["instance"]] = entry["contractId"]
    if name == "AddServiceEndpoints":
        for side, array in (("operator", "operatorEndpointArray"), ("provider", "providerEndpointArray")):
            for one in asked[array] or []:
                uploaded(side, one)
    if name == "GetServiceEndpoints":
        return given_servers()
    if name == "GetCDRs":
        return {"result": OK, "cdrInfoArray": list(waiting)}
    if name == "ConfirmCDRs":
        judged(asked)
    if name == "SelectEvse":
        ordered.update(contract=asked["contractId"], evse=asked["evseId"], at=datetime.datetime.now(AACHEN))
        return {"result": OK, "directId": "OCH-1", "ttl": utc(hours=1)}
    if name in ("ControlEvse", "ReleaseEvse"):
        return {"result": OK, "directId": asked["directId"], "ttl": utc(hours=1)}
    return {"result": OK}


def told(name, asked):
    """What the test looks at."""
    if name == "AddCDRs":
        one = asked["cdrInfoArray"][0]
        return {"evse": one["evseId"], "contract": one["contractId"], "cost": one["totalCost"]}
    if name == "InformProviderEMP":
        return {"contract": asked["contractId"], "message": asked["message"]["message"]}
    if name == "UpdateRoamingAuthorisationList":
        return {"uids": [entry["EmtId"]["instance"] for entry in asked["roamingAuthorisationInfoArray"]]}
    if name == "AddServiceEndpoints":
        return {side: [whitelist for (key, _), one in servers.items() if key == side for whitelist in one["whitelist"]]
                for side in ("operator", "provider")}
    if name == "ConfirmCDRs":
        return {what: [one["cdrId"] for one in asked[what] or []] for what in ("approved", "declined")}
    if name == "SelectEvse":
        return {"evse": asked["evseId"], "contract": asked["contractId"]}
    if name == "ControlEvse":
        return {"operation": asked["operation"]["operation"]}
    return {}


def shows_tokens(headers):
    """Ours for today, then theirs as it was uploaded (OCHPdirect, "Security of the OCHPdirect interface")."""
    shown = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    theirs = [one["token"] for (_, date), one in servers.items() if date == day(0)]
    return any(shown == f"zeep-{day(0)}:{token}" for token in theirs)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        strict = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        body = etree.fromstring(raw, strict).find(f"{{{SOAP}}}Body")[0]
        judge(body)
        op = OPS[body.tag]
        asked = op.input.body.parse(body, served.wsdl.types)
        # the agreed password is the other way in
        agreed = requests.auth._basic_auth_str("volt", "ours")
        if self.path == "/direct" and self.headers["Authorization"] != agreed and not shows_tokens(self.headers):
            say("failed", why=f"{op.name} with wrong tokens")
        with lock:
            said = answer(op.name, asked)
            say("served", op=op.name, **told(op.name, asked))
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


def direct(address, side, login):
    session = requests.Session()
    session.verify, session.auth, session.trust_env = wish.ca, login, False
    client = zeep.Client(WSDL, transport=Transport(session=session), plugins=[Judge()])
    service = client.bind("e-clearing.net-OCHP-direct", f"eCHS_Q-System-direct-{side}")
    service._binding_options["address"] = address
    return service


def found(side):
    """At the server that was uploaded for today, with both tokens."""
    there = servers[side.lower(), day(0)]
    return direct(there["url"], side, (there["token"], f"zeep-{day(0)}"))


def code(answer):
    result = answer["result"] if "result" in answer else answer
    return result["resultCode"]["resultCode"]


session = None


def order(ask, what, evse=None):
    global session
    if what == "start":
        selected = ask.SelectEvse(evseId=evse, contractId=CONTRACT)
        session = selected["directId"]
        say("selected", code=code(selected))
    done = ask.ControlEvse(directId=session, operation={"operation": "start" if what == "start" else "end"})
    say("ordered", what=what, code=code(done))


def inform(message, energy):
    done = found("Provider").InformProviderEMP(
        result=OK,
        message={"message": message},
        evseId=ordered["evse"],
        contractId=ordered["contract"],
        directId="OCH-1",
        chargedEnergy=float(energy),
    )
    say("informed", code=code(done))


def bill(what, *uid):
    now = datetime.datetime.now(AACHEN)
    time = lambda start: [at.isoformat(timespec="seconds") for at in (start, now)]
    with lock:
        if what == "tap":
            hour = time(now - datetime.timedelta(hours=1))
            waiting.append(cdr("new", "DEOCH1", emt(uid[0]), listed[uid[0]], hour))
        else:
            # it began when it was selected (OCHPdirect, "CDRs for OCHPdirect sessions")
            remote = emt("OCH-1", kind="remote")
            waiting.append(cdr("new", "DEOCH2", remote, ordered["contract"], time(ordered["at"])))
    say("billed", what=what)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(wish.server)
server.socket = context.wrap_socket(server.socket, server_side=True)
base = f"https://127.0.0.1:{server.server_address[1]}"
threading.Thread(target=server.serve_forever, daemon=True).start()
say("listening", url=base)
agreed = ("zeep", "theirs")
ACTIONS = {
    "start": lambda address, evse: order(direct(f"{address}/ochp/direct", "Operator", agreed), "start", evse),
    "stop": lambda address: order(direct(f"{address}/ochp/direct", "Operator", agreed), "stop"),
    "order": lambda evse: order(found("Operator"), "start", evse),
    "end": lambda: order(found("Operator"), "stop"),
    "inform": inform,
    "bill": bill,
}
for line in sys.stdin:
    what, *words = line.split()
    ACTIONS[what](*words)
