#!/usr/bin/env python3
"""A foreign operator and a foreign provider for OCHP 1.4 and OCHPdirect, made of the official WSDLs with zeep.

It asks a clearing house strictly (zeep raises where a name space, an order or an element is wrong) and serves both direct
interfaces; every body that comes, as question or as answer, is validated against the schemas. One JSON line per step on
standard output; the clearing house's address comes on standard input once somebody knows ours.
"""
import argparse
import datetime
import sys

import zeep
from zeep.wsse.username import UsernameToken

from ochp_samples import CONTRACT, POINT, TARIFF, UID, cdr, emt
from wsdl_party import Judge, operations, say, schema_inside, serve, transport

SERVICE = "e-clearing.net-OCHP-direct"

parser = argparse.ArgumentParser()
parser.add_argument("wsdl", help="folder of the WSDLs of 1.4")
parser.add_argument("--ca", required=True)
parser.add_argument("--server", required=True, help="server certificate and key in one file")
wish = parser.parse_args()
WSDL = f"{wish.wsdl}/ochp-direct.wsdl"
judge = Judge(schema_inside(WSDL))
OPS = operations(zeep.Client(WSDL))


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


def served(op, _asked, _path, headers):
    say("served", op=op.name, action=headers["SOAPAction"].strip('"') == op.soapaction)
    return ANSWERS[op.name]


class House:
    """A partner's way to the clearing house."""

    def __init__(self, base, user):
        self.base, self.user = base, user

    def bind(self, port, path, wsse=None, auth=None):
        client = zeep.Client(WSDL, wsse=wsse, transport=transport(wish.ca, login=auth), plugins=[judge])
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


say("listening", url=f"{serve(judge, OPS, served, wish.server)}/direct")
base = sys.stdin.readline().strip()
operator, provider = House(base, "DE-OCH"), House(base, "DE-OCP")
lists(operator.service(), provider.service())
records(operator.service(), provider.service())
live(operator, provider)
direct(operator, provider)
say("done")
