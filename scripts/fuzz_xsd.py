"""Elements that fit an XML schema, for seeds of the fuzz targets: each smallest, and with all it may have.

Knows what the schemas of OICP 2.0 and OCHP use and nothing else. The same schema always gives the same elements.
"""
import re
import xml.etree.ElementTree as tree
from xml.sax.saxutils import escape, quoteattr

XS = "{http://www.w3.org/2001/XMLSchema}"
# the first of these that a simple type allows
WORDS = ["AB12", "DE*ABC*E1", "DEABCE1", "DE*ABC", "DE-8AA", "DE-8AA-CA2B3C4D5-X", "DE-8AA-CA2B3C4D5-1", "DE8AACA2B3C4D5N",
         "04A2B3C4", "DE*ABC*P1", "DE*ABC*T1", "DEABCX1", "12", "1", "1.5", "9.987654", "48.400010 9.987000", "9°59'9.21''",
         "b2688855-7f00-0002-6d8e-48d883f6abb6", "a1" * 20, "+49731123456", "DEU:x|||", "12:00", "010:15:00", "DEU", "DE", "EUR",
         "https://a.example/x", "ABCDEF", "2026-11-22T15:04:05Z", "2026-11-22T15:04:05+01:00", "Europe/Berlin", "DEABCE%", "A"]
BASES = {"boolean": "true", "dateTime": "2026-11-22T15:04:05Z", "date": "2026-11-22", "decimal": "1.5", "float": "1.5",
         "double": "1.5", "int": "1", "integer": "1", "long": "1", "short": "1", "positiveInteger": "1",
         "nonNegativeInteger": "1", "unsignedInt": "1", "anyURI": "https://a.example/x", "language": "de"}
# deeper optional members teach nothing new
DEPTH_MAX = 9


class Schemas:
    def __init__(self, files):
        self.types, self.roots = {}, []
        for file in sorted(files):
            schema = tree.parse(file).getroot()
            self.types |= {each.get("name"): (each, schema) for each in schema if each.tag in (XS + "complexType", XS + "simpleType")}
            self.roots += [(each, schema) for each in schema if each.tag == XS + "element"]

    def elements(self):
        """Per root element its name and its two samples, each with its name space."""
        for element, schema in self.roots:
            yield element.get("name"), [self.element(element, schema, full, 0) for full in (False, True)]

    def element(self, element, schema, full, depth):
        name, space = element.get("name"), schema.get("targetNamespace")
        attributes, text = self.content(element, schema, full, depth)
        shown = "".join(f" {key}={quoteattr(value)}" for key, value in attributes)
        return f'<{name} xmlns="{space}"{shown}>{text}</{name}>'

    def content(self, holder, schema, full, depth):
        """Attributes and inside of what has a type, by name or in place."""
        inline = next((each for each in holder if each.tag in (XS + "complexType", XS + "simpleType")), None)
        if inline is None:
            local = (holder.get("type") or "string").rsplit(":", 1)[-1]
            if local not in self.types:
                return [], BASES.get(local, WORDS[0])
            inline, schema = self.types[local]
        if inline.tag == XS + "simpleType":
            return [], escape(self.word(inline))
        return self.complex(inline, schema, full, depth)

    def complex(self, kind, schema, full, depth):
        attributes, inside = [], ""
        for part in kind:
            if part.tag == XS + "attribute" and (full or part.get("use") == "required"):
                attributes.append((part.get("name"), self.content(part, schema, full, depth)[1]))
            elif part.tag in (XS + "sequence", XS + "choice", XS + "all"):
                inside += self.group(part, schema, full, depth)
            elif part.tag in (XS + "complexContent", XS + "simpleContent", XS + "extension"):
                if part.get("base"):
                    above, text = self.content(tree.Element("e", type=part.get("base")), schema, full, depth)
                    attributes, inside = attributes + above, inside + text
                more, text = self.complex(part, schema, full, depth)
                attributes, inside = attributes + more, inside + text
        return attributes, inside

    def group(self, group, schema, full, depth):
        inside = ""
        for part in group:
            if part.tag == XS + "element":
                if part.get("minOccurs") == "0" and not (full and depth < DEPTH_MAX):
                    continue
                inside += self.element(part, schema, full, depth + 1)
            elif part.tag in (XS + "sequence", XS + "choice"):
                inside += self.group(part, schema, full, depth)
            if group.tag == XS + "choice" and inside:
                break
        return inside

    def word(self, kind):
        limits = next(each for each in kind if each.tag == XS + "restriction")
        facets = [(each.tag.removeprefix(XS), each.get("value")) for each in limits]
        allowed = [value for facet, value in facets if facet == "enumeration"]
        if allowed:
            return allowed[0]
        base = limits.get("base").rsplit(":", 1)[-1]
        patterns = [value for facet, value in facets if facet == "pattern"]
        if base in BASES and not patterns:
            return BASES[base]
        lengths = {facet: int(value) for facet, value in facets if facet.endswith(("ength",))}

        def fits(text):
            least, most = lengths.get("minLength", 0), lengths.get("maxLength", 1_000)
            exact = lengths.get("length", len(text))
            return least <= len(text) <= most and len(text) == exact and (
                not patterns or any(re.fullmatch(pattern, text) for pattern in patterns))

        return next(filter(fits, WORDS), "")
