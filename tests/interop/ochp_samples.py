"""What the foreign partners of OCHP publish and bill: one EVSE, its tariff, its records."""

CONTRACT = "DE-OCP-C12345678-5"
UID = "04AABBCCDDEE80"
PLACE = {"address": "Markt 1", "city": "Aachen", "zipCode": "52062", "country": "DEU"}
CONNECTOR = {
    "connectorStandard": {"ConnectorStandard": "IEC_62196_T2"},
    "connectorFormat": {"ConnectorFormat": "Socket"},
    "tariffId": "DEOCHT1",
}
POINT = {
    "evseId": "DE*OCH*E1",
    "locationId": "LOC1",
    "locationName": "Markt",
    "locationNameLang": "DEU",
    "chargePointAddress": PLACE,
    "chargePointLocation": {"lat": "50.776000", "lon": "6.083000"},
    "timeZone": "Europe/Berlin",
    "location": {"GeneralLocationType": "on-street"},
    "authMethods": [{"AuthMethodType": "RfidMifareDes"}],
    "connectors": [CONNECTOR],
    "chargePointType": "AC",
    "ratings": {"maximumPower": 22.0},
}
TARIFF = {
    "tariffId": "DEOCHT1",
    "individualTariff": [
        {
            "tariffElement": [
                {
                    "priceComponent": {
                        "billingItem": {"BillingItemType": "energy"},
                        "itemPrice": 0.4,
                        "stepSize": 0.0,
                    },
                    "tariffRestriction": {},
                }
            ],
            "currency": "EUR",
        }
    ],
}


def emt(instance, representation=None, kind="rfid"):
    token = {"instance": instance, "tokenType": kind}
    return {**token, "representation": representation} if representation else token


SUMMER = ("2026-07-01T10:00:00+02:00", "2026-07-01T11:00:00+02:00")


def cdr(status, name="DEOCH1", token=None, contract=CONTRACT, time=SUMMER):
    """Ten kilowatt-hours for 4 euros."""
    start, end = ({"LocalDateTime": at} for at in time)
    period = {
        "startDateTime": start,
        "endDateTime": end,
        "billingItem": {"BillingItemType": "energy"},
        "billingValue": 10.0,
        "itemPrice": 0.4,
        "periodCost": 4.0,
    }
    return {
        "CdrId": name,
        "evseId": "DE*OCH*E1",
        "emtId": token or emt(UID),
        "contractId": contract,
        "status": {"CdrStatusType": status},
        "startDateTime": start,
        "endDateTime": end,
        "chargePointAddress": PLACE,
        "chargePointType": "AC",
        "connectorType": CONNECTOR,
        "chargingPeriods": [period],
        "totalCost": 4.0,
        "currency": "EUR",
    }
