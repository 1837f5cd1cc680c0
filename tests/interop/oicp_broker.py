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
import datetime
import sys

import zeep
from lxml import etree

from oicp_samples import EVCO, EVSE, GOOD, RECORD, SERVICES, VERDICT, YES, cdr, evco, rfid
from wsdl_party import Judge, operations, say, schemas_of, serve, transport

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
judge = Judge(schemas_of(*(etree.parse(f"{wish.wsdl}/RelatedSchemas/{file}") for file in files)))
OPS = operations(*(zeep.Client(f"{wish.wsdl}/{service}_service-definition.wsdl") for service in SERVICES))

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


def served(op, asked, _path, _headers):
    name = op.input.body.qname.localname
    said = answer(name, asked)
    say("served", op=name, **told(name, asked))
    return said


def member(address):
    wsdl = f"{wish.wsdl}/{AUTHORIZATION}_service-definition.wsdl"
    service = zeep.Client(wsdl, transport=transport(wish.ca, wish.client), plugins=[judge]).service
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
say("listening", url=serve(judge, OPS, served, wish.server, wish.ca))
ACTIONS = {"start": start, "stop": stop, "tap": tap, "bill": bill}
for line in sys.stdin:
    what, *words = line.split()
    ACTIONS[what](*words)
