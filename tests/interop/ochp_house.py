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
import datetime
import sys
import threading
from zoneinfo import ZoneInfo

import requests
import zeep

from ochp_samples import CONTRACT, POINT, TARIFF, cdr, emt
from wsdl_party import Judge, operations, say, schema_inside, serve, transport

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 1.4")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--token", help="the uid that may charge at our operators")
wish = parser.parse_args()
WSDL = f"{wish.wsdl}/ochp-direct.wsdl"
judge = Judge(schema_inside(WSDL))
OPS = operations(zeep.Client(WSDL))
AACHEN = ZoneInfo("Europe/Berlin")
OK = {"resultCode": {"resultCode": "ok"}, "resultDescription": "yes"}


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


def heard(op, asked, path, headers):
    # the agreed password is the other way in
    agreed = requests.auth._basic_auth_str("volt", "ours")
    if path == "/direct" and headers["Authorization"] != agreed and not shows_tokens(headers):
        say("failed", why=f"{op.name} with wrong tokens")
    with lock:
        said = answer(op.name, asked)
        say("served", op=op.name, **told(op.name, asked))
    return said


def direct(address, side, login):
    client = zeep.Client(WSDL, transport=transport(wish.ca, login=login), plugins=[judge])
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


base = serve(judge, OPS, heard, wish.server)
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
