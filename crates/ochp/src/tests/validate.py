"""Judges XML documents by the schemas of OCHP 1.4 and OCHPdirect: one document a line in, one verdict a line out."""

import sys
from pathlib import Path

from lxml import etree

SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"

folder = Path(sys.argv[1])
wsdl = etree.parse(str(folder / "ochp-direct.wsdl"))
inline = next(wsdl.getroot().iter(SCHEMA))
alone = etree.fromstring(etree.tostring(inline), base_url=str(folder) + "/")
schema = etree.XMLSchema(etree.ElementTree(alone))
parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
for line in sys.stdin.buffer:
    document = etree.fromstring(line, parser)
    print("valid" if schema.validate(document) else str(schema.error_log.last_error).replace("\n", " "))
