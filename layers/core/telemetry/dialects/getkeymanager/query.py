"""The GetKeyManager dialect: telemetry read back (docs/protocols.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from telemetry.dialects.body.fields import label
from telemetry.dialects.failure import Answer
from telemetry.dialects.getkeymanager.answers import envelope, status_of
from telemetry.dialects.getkeymanager.failures import BadParameters
from telemetry.domain.event import normalise_license, normalise_user
from telemetry.domain.flags import Flag
from telemetry.domain.placeholder import is_placeholder
from telemetry.domain.product import Product
from telemetry.domain.sighting import UNKNOWN_PRODUCT
from telemetry.domain.telemetry_query import LARGEST_PAGE, LAST_RECORD, FoundRecord, TelemetryQuery

DATA_FOUND = 970

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NO_LICENSE_HERE = frozenset({Flag.INVALID_LICENSE, Flag.ENVIRONMENT_MISMATCH})
_WRONG_FORMAT = frozenset({Flag.MALFORMED, Flag.UNKNOWN_PRODUCT})


def parse(parameters: Mapping[str, str]) -> TelemetryQuery:
    """What a query string asks for; blank parameters and unknown ones ask for nothing. Raises BadParameters."""
    given = {name: value.strip() for name, value in parameters.items() if value.strip()}
    errors: dict[str, list[str]] = {}
    flagged = given.get("has_red_flags", "").lower()
    if flagged and flagged not in _BOOLEANS:
        errors["has_red_flags"] = ["The has red flags field must be true or false."]
    page, per_page = _integer(given, "page", 1, LAST_RECORD), _integer(given, "per_page", 25, LARGEST_PAGE)
    for name, number, largest in (("page", page, LAST_RECORD), ("per_page", per_page, LARGEST_PAGE)):
        if number is None:
            errors[name] = [f"The {label(name)} must be an integer between 1 and {largest}."]
    if page and per_page and page * per_page > LAST_RECORD:
        errors["page"] = [f"The page must end within the first {LAST_RECORD} records."]
    user_id = normalise_user(given.get("user_identifier"))
    if given.get("user_identifier") and not user_id:
        errors["user_identifier"] = ["The user identifier has no visible character."]
    if user_id and is_placeholder(user_id):
        errors["user_identifier"] = ["The user identifier is a placeholder, and names nobody."]
    if errors:
        raise BadParameters(errors)
    return TelemetryQuery(
        data_type=given.get("data_type"),
        data_group=given.get("data_group"),
        product_id=given.get("product_id"),
        user_id=user_id,
        license_key=given.get("license_key"),
        is_flagged=_BOOLEANS.get(flagged),
        page=page or 1,
        per_page=per_page or 1,
        next=given.get("next"),
    )


def answer(
    records: Sequence[tuple[str, FoundRecord]],
    next_: str | None,
    query: TelemetryQuery,
    products: Mapping[str, Product],
    now: datetime,
) -> Answer:
    """The answer, HTTP 200, also when nothing was found.

    `records` go with their telemetry ids; `next_` is what asks for the page after this one, None where there is none.
    """
    response = status_of(DATA_FOUND, "Telemetry data found", [], now)
    response |= {
        "data": [_row(id_, record, products) for id_, record in records],
        "page": query.page,
        "per_page": query.per_page,
        "has_more": next_ is not None,
        "next": next_,
    }
    return envelope(response)


def _row(id_: str, record: FoundRecord, products: Mapping[str, Product]) -> dict[str, Any]:
    said, counted = record.said, None if record.product == UNKNOWN_PRODUCT else record.product
    product_id = said.product_id or counted
    product = products.get(product_id) if product_id else None
    has_license = normalise_license(said.license_key) is not None
    received = record.received_at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{record.received_at.microsecond // 1000:03d}Z"
    damage = {} if record.damage is None else {"damage": record.damage}
    return {
        "id": id_,
        "user_identifier": said.user_identifier,
        "license_key": said.license_key,
        "activation_identifier": said.activation_identifier,
        "product_id": product_id,
        "product_version": said.product_version,
        "data_type": said.data_type,
        "data_group": said.data_group,
        "data": said.data,
        "is_correct_format": int(not record.flags & _WRONG_FORMAT),
        "license_key_exists": int(has_license and record.is_judged and not record.flags & _NO_LICENSE_HERE),
        "product_exists": int(Flag.UNKNOWN_PRODUCT not in record.flags),
        "product_version_exists": int(product is not None and said.product_version in product.versions),
        "has_red_flags": int(bool(record.flags)),
        "created_at": received,
        "updated_at": received,
        **damage,
        **({"forgotten": True} if record.is_forgotten else {}),
    }


def _integer(given: Mapping[str, str], name: str, default: int, largest: int) -> int | None:
    text = given.get(name, str(default))
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return number if 1 <= number <= largest else None
