#!/usr/bin/env python3
"""A foreign operator and a foreign provider for OICP 2.0, made of the official WSDLs with zeep, over mutual TLS.

It asks a broker strictly (zeep raises where a name space, an order or an element is wrong) and serves what a broker asks an
operator and a provider; every body that comes, as question or as answer, is validated against the schemas. One JSON line per
step on standard output; the broker's address comes on standard input once somebody knows ours.
"""
import argparse
import sys

import zeep
from lxml import etree

from oicp_samples import EVCO, EVSE, RECORD, SERVICES, SUMMER, UID, VERDICT, YES, cdr, evco, rfid
from wsdl_party import Judge, operations, say, schemas_of, serve, transport

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 2.0")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
parser.add_argument("--operator", required=True, help="client certificate and key in one file")
parser.add_argument("--provider", required=True, help="client certificate and key in one file")
wish = parser.parse_args()
files = [f"{service}.xsd" for service in SERVICES] + ["eRoamingCommonTypes_V2.0.xsd"]
judge = Judge(schemas_of(*(etree.parse(f"{wish.wsdl}/RelatedSchemas/{file}") for file in files)))
OPS = operations(*(zeep.Client(f"{wish.wsdl}/{service}_service-definition.wsdl") for service in SERVICES))

ANSWERS = {
    "eRoamingAuthorizeStart": VERDICT,
    "eRoamingAuthorizeStop": VERDICT,
    "eRoamingAuthorizeRemoteStart": YES,
    "eRoamingAuthorizeRemoteStop": YES,
    "eRoamingChargeDetailRecord": YES,
}


def served(op, asked, path, _headers):
    name = op.input.body.qname.localname
    say("served", op=name, path=path.rsplit("/", 1)[-1])
    return dict(ANSWERS[name], SessionID=asked["SessionID"])


class Partner:
    """A partner's way to the broker."""

    def __init__(self, base, certificate):
        self.base = base
        self.transport = transport(wish.ca, certificate)

    def service(self, name):
        wsdl = f"{wish.wsdl}/{name}_service-definition.wsdl"
        service = zeep.Client(wsdl, transport=self.transport, plugins=[judge]).service
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


say("listening", url=serve(judge, OPS, served, wish.server, wish.ca))
base = sys.stdin.readline().strip()
operator, provider = Partner(base, wish.operator), Partner(base, wish.provider)
places(operator, provider)
tokens(provider)
sessions(operator, provider)
say("done")
