#!/usr/bin/env python3
"""Seeds for the fuzz targets, one folder for each: fuzz_seeds.py OUT [SPEC].

Without SPEC they come from the project's own tests: every frame, XML document and OCMF record that stands in them. With
SPEC, a folder with the standards' schemas and samples, each message of each OCPP version is added twice, with what it must
have and with all it may have, the frames of the field, the examples of OCPI and the meter records of the transparency
projects. Nothing of SPEC is copied into the repository. The same sources give the same files.
"""
import hashlib
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/interop"))
from fuzz_xsd import Schemas  # noqa: E402
from samples import TIME, sample  # noqa: E402

OUT = pathlib.Path(sys.argv[1])
SPEC = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
CRATES = pathlib.Path(__file__).resolve().parent.parent / "crates"
# the first byte of an input for the engines
VERSION = {"1.6": b"\0", "2.0.1": b"\1", "2.1": b"\2"}
SERVICE = {
    ("1.5", "central"): "urn://Ocpp/Cs/2012/06/", ("1.5", "station"): "urn://Ocpp/Cp/2012/06/",
    ("1.6", "central"): "urn://Ocpp/Cs/2015/10/", ("1.6", "station"): "urn://Ocpp/Cp/2015/10/",
}
# longer ones teach little and slow every run
SEED_BYTES_MAX = 16_384


def keep(target, data):
    if isinstance(data, str):
        data = data.encode()
    if 0 < len(data) <= SEED_BYTES_MAX:
        folder = OUT / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def frame(version, text):
    for target in ("csms", "station"):
        keep(target, VERSION[version] + text.encode())


def messages(folder):
    """Per action, its request and its answer, each smallest and whole."""
    for path in sorted(folder.glob("*.json")):
        schema = json.loads(path.read_text("utf-8-sig"))
        name = path.stem
        answer = name.endswith("Response")
        action = name.removesuffix("Response").removesuffix("Request")
        yield action, answer, [sample(schema, schema, False), sample(schema, schema, True)]


def inside(tag, value):
    """A JSON value as the XML that OCPP over SOAP has for it."""
    if isinstance(value, list):
        return "".join(inside(tag, item) for item in value)
    if isinstance(value, dict):
        return f"<{tag}>{''.join(inside(*member) for member in value.items())}</{tag}>"
    return f"<{tag}>{str(value).lower() if isinstance(value, bool) else value}</{tag}>"


def envelope(space, action, suffix, payload):
    body = f"{action[0].lower()}{action[1:]}{suffix}"
    members = "".join(inside(*member) for member in payload.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://www.w3.org/2005/08/addressing"><e:Header>'
        f'<chargeBoxIdentity xmlns="{space}">CB1</chargeBoxIdentity><w:Action>/{action}{suffix.removesuffix("Request")}'
        "</w:Action><w:MessageID>urn:uuid:1</w:MessageID><w:From><w:Address>http://127.0.0.1:9/</w:Address></w:From>"
        "<w:ReplyTo><w:Address>http://www.w3.org/2005/08/addressing/anonymous</w:Address></w:ReplyTo><w:To>http://a/</w:To>"
        f'</e:Header><e:Body><{body} xmlns="{space}">{members}</{body}></e:Body></e:Envelope>'
    )


def soap(text):
    keep("soap_read", text)
    keep("soap_line", text)


def line(spec):
    ocpp = spec / "ocpp"
    folders = [("1.6", "1.6/json"), ("1.6", "1.6/json-security"), ("2.0.1", "2.0.1/json"), ("2.1", "2.1/json")]
    for version, folder in folders:
        heard = list(messages(ocpp / folder))
        asked = {action: payloads for action, answer, payloads in heard if not answer}
        replies = {action: payloads for action, answer, payloads in heard if answer}
        for action, payloads in asked.items():
            for payload in payloads:
                text = json.dumps([2, "a1", action, payload], separators=(",", ":"))
                frame(version, text)
                for reply in replies.get(action, []):
                    keep("answers", VERSION[version] + f"{text}\n{json.dumps(reply)}\n{json.dumps(reply)}".encode())
                if folder == "1.6/json":
                    for (_, _), space in SERVICE.items():
                        soap(envelope(space, action, "Request", payload))
    for row in (ocpp / "quirks/quirk-frames.jsonl").read_text().splitlines():
        row = json.loads(row)
        if "raw" in row and row["version"] in VERSION:
            frame(row["version"], row["raw"].replace("\0", "\n"))
        if "handshake" in row:
            head(row["handshake"])


def head(shake):
    headers = {"Host": "a.example", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **shake.get("headers", {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if isinstance(value, str))
    keep("head", f"GET {shake['path']} HTTP/1.1\r\n{lines}\r\n")


# examples are named after their object; how such an object travels
ROAD = [
    ("location", "PUT locations receiver /BE/BEC/LOC1?"), ("location", "PATCH locations receiver /BE/BEC/LOC1?"),
    ("location", "PUT locations receiver /BE/BEC/LOC1/3256?"), ("session", "PUT sessions receiver /NL/STK/101?"),
    ("session", "PATCH sessions receiver /NL/TNM/101?"), ("cdr", "POST cdrs receiver /?"),
    ("tariff", "PUT tariffs receiver /DE/ALL/12?"), ("token", "PUT tokens receiver /NL/TNM/012345678?type=RFID"),
    ("token", "PATCH tokens receiver /NL/TNM/012345678?"), ("token", "POST commands receiver /START_SESSION?"),
]


def road(spec):
    folders = [("2.2.1", "2.2.1/examples"), ("2.3.0", "2.3.0-core/examples"), ("2.1.1", "2.2.1/examples")]
    for version, folder in folders:
        for path in sorted((spec / "ocpi" / folder).glob("*.json")):
            text = path.read_text("utf-8-sig")
            for noun, travel in ROAD:
                if path.name.startswith(noun):
                    keep("ocpi_ask", f"{version} {travel}\n{text}")
            mark = bytes([["2.1.1", "2.2.1", "2.3.0"].index(version)])
            keep("ocpi_answer", mark + text.encode())
            listed = f'{{"data":[{text}],"status_code":1000,"timestamp":"{TIME}"}}'
            keep("ocpi_answer", mark + listed.encode())
    start = {"response_url": "https://b.example/1", "token": {"country_code": "DE", "party_id": "ABC", "uid": "U1",
             "type": "RFID", "contract_id": "DE8AAC123456785", "issuer": "A", "valid": True, "whitelist": "NEVER",
             "last_updated": TIME}, "location_id": "LOC1", "evse_uid": "E1"}
    for version in ("2.1.1", "2.2.1", "2.3.0"):
        for word, body in [("START_SESSION", start), ("STOP_SESSION", {"response_url": "https://b/1", "session_id": "S1"}),
                           ("RESERVE_NOW", {**start, "expiry_date": TIME, "reservation_id": "R1"})]:
            keep("ocpi_ask", f"{version} POST commands receiver /{word}?\n{json.dumps(body)}")
        keep("ocpi_ask", f"{version} POST tokens sender /U1/authorize?type=RFID\n{{}}")
        keep("ocpi_ask", f"{version} GET locations sender /?offset=5&limit=7&date_from={TIME}\n")


def bare(element):
    """An envelope of SOAP 1.1 and nothing in its header."""
    return f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{element}</e:Body></e:Envelope>'


def brokers(spec):
    """OICP: the snippets of both sides' papers stand below the path that they are sent to."""
    for path in sorted((spec / "oicp/2.3").glob("*/06_*.asciidoc")):
        url, word, inside = "", "ask", None
        for row in path.read_text("utf-8-sig").splitlines():
            found = re.search(r"/api/oicp/[^`'\s]+", row)
            if row.startswith("==="):
                word = "ask" if "Request" in row else "answer"
            elif row.strip() == "----":
                if inside is not None:
                    keep("oicp", f"{word} {url}\n{inside}")
                inside = "" if inside is None else None
            elif inside is not None:
                inside += row + "\n"
            elif found:
                url = re.sub(r"\{\w*\}", "DE*ABC", found[0])
    for _, elements in Schemas((spec / "oicp/2.0-soap/RelatedSchemas").glob("*.xsd")).elements():
        for element in elements:
            keep("oicp", f"soap\n{bare(element)}")
            keep("oicp", f"soap-answer\n{bare(element)}")


def houses(spec):
    """OCHP: an answer begins with the number of its operation."""
    operations = re.findall(r'"(\w+)" \w+ => "(\w+)" \w+;', (CRATES / "ochp/src/message.rs").read_text())
    for name, elements in Schemas((spec / "ochp/1.4/types").glob("*.xsd")).elements():
        for element in elements:
            keep("ochp", b"\0" + bare(element).encode())
            for index, (_, answer) in enumerate(operations):
                if answer == name:
                    keep("ochp", bytes([index + 1]) + bare(element).encode())
    for block in (spec / "ochp/1.4/OCHP.md").read_text().split("```XML\n")[1:]:
        block = block.split("```")[0]
        keep("ochp", b"\0" + bare(f'<UpdateTariffsRequest xmlns="http://ochp.eu/1.4">{block}</UpdateTariffsRequest>').encode())


def meters(spec):
    for path in sorted((spec / "metering").rglob("*")):
        if path.suffix in (".xml", ".ocmf", ".json", ".chargy", ".txt", ".csv") and path.is_file():
            keep("record", path.read_bytes())


def own():
    """What stands in our tests: raw strings are told apart by how they begin."""
    for path in sorted(CRATES.glob("*/src/**/*.rs")):
        text = path.read_text()
        literals = re.findall(r'r#*"(.*?)"#+', text, re.S) + re.findall(r'"((?:OCMF)\|.*?)"[,;)]', text, re.S)
        for literal in literals:
            literal = literal.replace("\\\n", "")
            if re.match(r"\s*\[[2-6],", literal):
                for version in VERSION:
                    frame(version, literal)
            elif literal.startswith("OCMF|"):
                keep("record", literal)
            elif "<" in literal[:5]:
                soap(literal)
    for travel, body in [("2.2.1 PUT tokens receiver /DE/ABC/U1?type=RFID", {}), ("2.2.1 GET tariffs sender /?limit=2", {})]:
        keep("ocpi_ask", f"{travel}\n{json.dumps(body)}")
    keep("ocpi_answer", b"\1" + f'{{"data":[],"status_code":1000,"timestamp":"{TIME}"}}'.encode())
    head({"path": "/ocpp/CP-1", "headers": {"Sec-WebSocket-Protocol": "ocpp2.0.1, ocpp1.6", "Authorization": "Basic Q1A6eA=="}})
    head({"path": "/ocpp//RPC%20001%2F%C3%BC/?x=1", "headers": {"Sec-WebSocket-Protocol": "ocpp1.6"}})
    keep("answers", b'\0[2,"a","Reset",{"type":"Soft"}]\n{"status":"Accepted"}')
    keep("answers", b'\0[2,"a","Heartbeat",{}]\n{"currentTime":"' + TIME.encode() + b'"}')
    keep("oicp", "ask /api/oicp/charging/v21/operators/DE*ABC/authorize/start\n"
         '{"OperatorID":"DE*ABC","Identification":{"RFIDMifareFamilyIdentification":{"UID":"04A2B3C4"}}}')
    keep("ochp", b"\0" + bare('<GetCDRsRequest xmlns="http://ochp.eu/1.4"/>').encode())
    key = "3059301306072a8648ce3d020106082a8648ce3d03010703420004" + "11" * 64
    keep("certificate", key)
    keep("certificate", bytes.fromhex(key))


own()
if SPEC and SPEC.is_dir():
    line(SPEC)
    road(SPEC)
    brokers(SPEC)
    houses(SPEC)
    meters(SPEC)
for folder in sorted(OUT.iterdir()):
    print(f"{folder.name}\t{sum(1 for _ in folder.iterdir())} seeds")
