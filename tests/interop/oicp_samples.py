"""What the foreign partners of OICP 2.0 publish, say and bill: one EVSE, its records."""

SERVICES = [
    "eRoamingAuthorization_V2.0",
    "eRoamingAuthenticationData_V2.0",
    "eRoamingEvseData_V2.0",
    "eRoamingEvseStatus_V2.0",
    "eRoamingEvseSearch_V2.0",
    "eRoamingMobileAuthorization_V2.0",
]

EVSE = "DE*OCI*E1"
EVCO = "DE-OCJ-C12345678-X"
UID = "04AABBCCDDEE80"
GOOD = {"Code": "000"}
YES = {"Result": True, "StatusCode": GOOD}
VERDICT = {"AuthorizationStatus": "Authorized", "StatusCode": GOOD, "ProviderID": "DE-OCJ", "PartnerSessionID": "OCJ-1"}
RECORD = {
    "EvseId": EVSE,
    "Address": {"Country": "DE", "City": "Aachen", "Street": "Markt Platz", "PostalCode": "52062", "HouseNum": "1"},
    "GeoCoordinates": {"Google": {"Coordinates": "50.776 6.083"}},
    "Plugs": {"Plug": ["Type 2 Outlet"]},
    "AuthenticationModes": {"AuthenticationMode": ["NFC RFID Classic"]},
    "Accessibility": "Free publicly accessible",
    "HotlinePhoneNum": "+492411234567",
    "IsOpen24Hours": True,
    "IsHubjectCompatible": True,
    "DynamicInfoAvailable": "true",
}


def rfid(uid):
    return {"RFIDmifarefamilyIdentification": {"UID": uid}}


def evco(contract):
    return {"RemoteIdentification": {"EVCOID": contract}}


SUMMER = ("2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z")


def cdr(session, identification, time):
    """Ten kilowatt-hours."""
    start, end = time
    return {
        "SessionID": session,
        "EvseID": EVSE,
        "Identification": identification,
        "SessionStart": start,
        "SessionEnd": end,
        "ConsumedEnergy": 10,
    }
