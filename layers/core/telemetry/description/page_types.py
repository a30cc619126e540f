"""What the page knows of the API, in TypeScript.

`make types` writes it, with `python -m telemetry.description.page_types FILE`.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from telemetry.description.document import document
from telemetry.description.operations import Json

ROOTS = (
    "Session",
    "ProductNames",
    "Overview",
    "ActivityTypes",
    "NotableLicenses",
    "Spikes",
    "RecordPage",
    "RecordDetail",
    "SystemLogs",
    "License",
    "LicensePage",
    "LicenseWithKey",
    "LicenseUseAnswer",
    "ActivationPage",
    "AuditEntryPage",
    "Customer",
    "CustomerPage",
    "Product",
    "ProductPage",
    "CompanyList",
    "CompanyDetail",
    "DeveloperList",
    "DeveloperDetail",
    "Values",
    "SearchResult",
    "Applications",
    "MonthsReport",
    "DailyReport",
)
"""The answers that the page shows. What they consist of comes with them."""

CONSTANTS = {"ENVIRONMENTS": "Environment", "CAUSES": "FailedCallCause"}
"""Lists of the values of enumerations."""

HEAD = """\
// What the API answers, written by `make types` from the description of the API: change that, not this.
// Instants are ISO-8601 in UTC.
//
// The keys of a `Record` are text that somebody else chose, `__proto__` and `constructor` among it: they are read by
// `Object.entries`, never by name.
"""
LONGEST_LINE = 120


def page_types(described: Json) -> str:
    """The file, as biome formats it."""
    schemas: Mapping[str, Json] = described["components"]["schemas"]
    parts = [_declared(name, schemas[name]) for name in _needed(schemas)]
    parts += [_constant(name, [each["const"] for each in schemas[of]["oneOf"]]) for name, of in CONSTANTS.items()]
    return "\n".join([HEAD, *parts, _ranges(schemas["Range"]), _flags(schemas["Flag"])])


def _needed(schemas: Mapping[str, Json]) -> list[str]:
    """The components that the page needs, by name."""
    found: set[str] = set()
    waiting = [*ROOTS, *CONSTANTS.values()]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas[name]))
    return sorted(found)


def _declared(name: str, schema: Json) -> str:
    comment = f"/** {schema['description']} */\n" if "description" in schema else ""
    if "properties" not in schema:
        return f"{comment}{_alias(f'export type {name} =', _types(schema))}\n"
    lines = "".join(f"{line}\n" for line in _members(schema))
    return f"{comment}export interface {name} {{\n{lines}}}\n"


def _members(schema: Json) -> Iterator[str]:
    required = schema.get("required", ())
    for name, member in schema["properties"].items():
        if "description" in member:
            yield f"  /** {member['description']} */"
        yield f"  {name}{'' if name in required else '?'}: {_type(member)};"


def _alias(beginning: str, types: list[str]) -> str:
    """A union, on one line if there is room."""
    line = f"{beginning} {' | '.join(types)};"
    return line if len(line) <= LONGEST_LINE else beginning + "".join(f"\n  | {each}" for each in types) + ";"


def _type(schema: Json) -> str:
    return " | ".join(_types(schema))


def _types(schema: Json) -> list[str]:
    """The alternatives that a schema allows."""
    if "$ref" in schema:
        return [schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        return [json.dumps(schema["const"])]
    if "enum" in schema:
        return [json.dumps(value) for value in schema["enum"]]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return [each for one in schema[several] for each in _types(one)]
    match schema.get("type"):
        case "array":
            item = _types(schema["items"])
            return [f"({' | '.join(item)})[]" if len(item) > 1 else f"{item[0]}[]"]
        case "object":
            values = schema.get("additionalProperties", True)
            return [f"Record<string, {'unknown' if values is True else _type(values)}>"]
        case "integer" | "number":
            return ["number"]
        case "string" | "boolean" | "null" as plain:
            return [plain]
    return ["unknown"]


def _constant(name: str, values: list[str]) -> str:
    text = [json.dumps(value) for value in values]
    line = f"export const {name} = [{', '.join(text)}] as const;"
    if len(line) > LONGEST_LINE:
        line = f"export const {name} = [\n" + "".join(f"  {each},\n" for each in text) + "] as const;"
    return f"{line}\n"


def _ranges(schema: Json) -> str:
    """What windows that end now are called, by name."""
    rows = "".join(f"  [{json.dumps(each['const'])}, {json.dumps(each['title'])}],\n" for each in schema["oneOf"])
    return (
        "/** What the time ranges that end now are called. */\n"
        f"export const RANGES: ReadonlyMap<string, string> = new Map([\n{rows}]);\n"
    )


def _flags(schema: Json) -> str:
    """What flags are called, and of which class they are, by name."""
    rows = "".join(
        f"  [{json.dumps(each['const'])}, [{json.dumps(each['title'])}, {json.dumps(each['x-class'])}]],\n"
        for each in schema["oneOf"]
    )
    classes = dict.fromkeys(each["x-class"] for each in schema["oneOf"])
    union = " | ".join(json.dumps(each) for each in classes)
    return (
        f"export type FlagClass = {union};\n\n"
        "/** What each flag is called, and its class. */\n"
        f"export const FLAG_NAMES: ReadonlyMap<string, readonly [string, FlagClass]> = new Map([\n{rows}]);\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page_types(document()))
