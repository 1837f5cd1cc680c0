"""Judges recorded OCPP payloads by the official JSON schemas, with the validator of the Python package `jsonschema`.

    validate.py FRAMES SPEC RESULTS

FRAMES holds one JSON object a line: version, sender, kind (call, result, error, result-error, send), action, payload.
SPEC is the folder with 1.6/json, 1.6/json-security, 2.0.1/json, 2.1/json and rpc-error-codes.json. Each failure goes to
standard output with its path; RESULTS gets {"judged": n, "failures": [{"record", "path", "why"}]}. Ends with 1 where
anything failed. Nothing of the project is used here, on purpose.
"""

import json
import re
import sys
from functools import cache
from pathlib import Path

from jsonschema import FormatChecker
from jsonschema.validators import validator_for

FOLDERS = {
    "1.6": ["1.6/json", "1.6/json-security"],
    "2.0.1": ["2.0.1/json"],
    "2.1": ["2.1/json"],
}
# by version and kind; the first that exists is meant
NAMES = {
    "call": ["{}Request.json", "{}.json"],
    "send": ["{}.json"],
    "result": ["{}Response.json"],
}
DESCRIPTION_MAX = 255
MESSAGE_ID_MAX = 36
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(value):
    if not isinstance(value, str):
        return True
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    return re.fullmatch(pattern, value) is not None


@FORMATS.checks("uri")
def is_uri(value):
    return not isinstance(value, str) or re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value) is not None


@cache
def schema(spec, version, kind, action):
    for folder in FOLDERS[version]:
        for name in NAMES[kind]:
            path = spec / folder / name.format(action)
            if path.exists():
                document = json.loads(path.read_text(encoding="utf-8-sig"))
                chosen = validator_for(document, default=None)
                if chosen is None:
                    raise SystemExit(f"{path} names no known draft")
                chosen.check_schema(document)
                return chosen(document, format_checker=FORMATS)
    return None


@cache
def codes(spec, version):
    return json.loads((spec / "rpc-error-codes.json").read_text())["codes"][version]


def error_faults(spec, record):
    """OCPP-J: [4, id, code, description, details], and 5 for an answer that could not be read (2.1)."""
    frame, version = record["payload"], record["version"]
    if record["kind"] == "result-error" and version != "2.1":
        yield "", "this version has no CALLRESULTERROR"
    if len(frame) != 5:
        yield "", f"{len(frame)} elements"
        return
    _, identity, code, description, details = frame
    if not isinstance(identity, str) or len(identity) > MESSAGE_ID_MAX:
        yield "/1", "no message id"
    if code not in codes(spec, version):
        yield "/2", f"{code} is no code of {version}"
    if not isinstance(description, str) or len(description) > DESCRIPTION_MAX:
        yield "/3", "no description"
    if not isinstance(details, dict):
        yield "/4", "no object"


def faults(spec, record):
    if record["kind"] in ("error", "result-error"):
        yield from error_faults(spec, record)
        return
    judge = schema(spec, record["version"], record["kind"], record["action"])
    if judge is None:
        yield "", "no schema for this action"
        return
    for error in judge.iter_errors(record["payload"]):
        yield "/" + "/".join(str(step) for step in error.absolute_path), error.message


def main():
    frames, spec, results = (Path(word) for word in sys.argv[1:4])
    failures = []
    number = -1
    for number, line in enumerate(frames.read_text().splitlines()):
        record = json.loads(line)
        for path, why in faults(spec, record):
            print(f"{record['version']} {record['sender']} {record['kind']} {record['action']} {path}: {why}")
            failures.append({"record": number, "path": path, "why": why})
    results.write_text(json.dumps({"judged": number + 1, "failures": failures}))
    sys.exit(1 if failures else 0)


main()
