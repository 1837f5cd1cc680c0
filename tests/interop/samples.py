"""Values that fit a JSON schema: for orders of the foreign central system, and for seeds of the fuzz targets.

Knows what OCPP's schemas use and nothing else. The same schema always gives the same value.
"""

TIME = "2026-11-22T15:04:05Z"
# deeper optional members teach nothing new
DEPTH_MAX = 7


def sample(schema, root, full, depth=0):
    """One value that fits `schema`: with its optional members, where `full`. `root` holds the definitions."""
    if "$ref" in schema:
        return sample(root["definitions"][schema["$ref"].rsplit("/", 1)[1]], root, full, depth)
    if "enum" in schema:
        return schema["enum"][-1 if full else 0]
    kind = schema.get("type", "string")
    if kind == "object":
        must = schema.get("required", [])
        members = schema.get("properties", {})
        names = [name for name in members if name in must or (full and depth < DEPTH_MAX)]
        return {name: sample(members[name], root, full, depth + 1) for name in names}
    if kind == "array":
        return [sample(schema.get("items", {}), root, full, depth + 1)] * max(1, schema.get("minItems", 1))
    if kind == "integer":
        return min(max(schema.get("minimum", 1), 1), schema.get("maximum", 1))
    if kind == "number":
        return 16.5
    if kind == "boolean":
        return full
    if schema.get("format") == "date-time":
        return TIME
    if schema.get("format") in ("uri", "anyURI"):
        return "https://a.example/x"
    return "AB12"[: schema.get("maxLength", 4)]
