"""The GetKeyManager dialect: licences and activations (docs/protocols.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from telemetry.dialects.body.fields import Fields
from telemetry.dialects.body.json_text import NotJson
from telemetry.dialects.body.reader import read_one
from telemetry.dialects.failure import Answer
from telemetry.dialects.getkeymanager.answers import as_list, envelope, status_of
from telemetry.domain.event import normalise_license
from telemetry.domain.license import License
from telemetry.domain.licensing import GRANTED, RUNNING, DeviceAction, DeviceRequest, Finding, LicensingOutcome

LONGEST_IDENTIFIER = 1_024
"""Characters; far more than any hardware id or domain has."""

_IDENTIFIERS = ("identifier", "hardwareId", "hardware_id", "domain", "server_domain")
_ANSWERS = {  # in the vendor's words, as its documentation and its SDKs have them
    LicensingOutcome.VALID: (200, "Valid license key"),
    LicensingOutcome.NOT_ASSIGNED: (201, "This license key is not assigned"),
    LicensingOutcome.NOT_ACTIVATED: (202, "No activation found for this license key/identifier combination"),
    LicensingOutcome.PRODUCT_INACTIVE: (
        203,
        "The product associated with this license key is not active or doesn't exist",
    ),
    LicensingOutcome.BLOCKED: (204, "License key blocked"),
    LicensingOutcome.EXPIRED: (205, "License key expired"),
    LicensingOutcome.INVALID_KEY: (210, "Invalid license key"),
    LicensingOutcome.IDENTIFIER_REQUIRED: (215, "Identifier is required"),
    LicensingOutcome.ACTIVATED: (300, "License key activated"),
    LicensingOutcome.ALREADY_ACTIVE: (301, "License key already active"),
    LicensingOutcome.LIMIT_REACHED: (302, "License key reached activation limit"),
    LicensingOutcome.DEACTIVATED: (400, "License key deactivated"),
    LicensingOutcome.ALREADY_INACTIVE: (401, "License key already inactive"),
}
_MISSING = {
    LicensingOutcome.INVALID_KEY: ("license_key", "The license key field is required."),
    LicensingOutcome.IDENTIFIER_REQUIRED: (
        "identifier",
        f"The identifier field is required, with at most {LONGEST_IDENTIFIER} characters.",
    ),
}

GRANTED_CODES = frozenset(_ANSWERS[outcome][0] for outcome in GRANTED)
"""Answers that refuse nothing; any other is a blocked attempt."""


def parse(action: DeviceAction, body: bytes, content_type: str = "") -> DeviceRequest:
    """What a body asks. Raises NotJson when it is neither a JSON object nor a form."""
    element = read_one(body, content_type)
    if not isinstance(element.value, dict):
        raise NotJson(element.wrong or "The body must be an object")
    fields = Fields(element.value)
    return DeviceRequest(
        action=action,
        license_key=normalise_license(fields.text("license_key")),
        identifier=_identifier(fields),
        product_id=_product(fields),
    )


def code_of(outcome: LicensingOutcome) -> int:
    """The code that stands for an outcome."""
    return _ANSWERS[outcome][0]


def answer(question: DeviceRequest, finding: Finding, now: datetime) -> Answer:
    """The answer, always HTTP 200: what was found, and what callers may know of the licence.

    `response` has the form of telemetry's answers; SDKs read the members beside it. Values that the caller sent are
    added later (`addressed`), so that answers can be kept.
    """
    code, message = _ANSWERS[finding.outcome]
    response = status_of(code, message, as_list(_errors(question, finding.outcome)), now)
    told: Answer = {
        "code": code,
        "message": message,
        "success": finding.outcome in GRANTED,
        "valid": finding.outcome in RUNNING,
    }
    if finding.license:
        public = _public(finding.license, now)
        response["data"] = {"uuid": finding.license.id} | public
        product_name = finding.product.name if finding.product else None
        told["license"] = public | {"product_name": product_name, "features": {}}
    if finding.seat:
        told["activation"] = {"id": finding.seat.id, "activated_at": _instant(finding.seat.since)}
    return envelope(response) | told


def addressed(answer: Answer, question: DeviceRequest) -> Answer:
    """An answer with the key and the identifier as they were sent, in the members about them."""
    sent = {"license": {"license_key": question.license_key}, "activation": {"identifier": question.identifier}}
    return answer | {name: said | answer[name] for name, said in sent.items() if name in answer}


def _identifier(fields: Fields) -> str | None:
    """The value of the first name that has one; None if it is too long."""
    name = next((name for name in _IDENTIFIERS if name in fields), None)
    text = fields.identifier(name, integer_allowed=True) if name else None
    return text if text and len(text) <= LONGEST_IDENTIFIER else None


def _product(fields: Fields) -> str | None:
    """The product that is asked for. What is not text cannot be a product's id: `~` stands for it, and matches none."""
    if "product_uuid" not in fields:
        return None
    return fields.text("product_uuid", integer_allowed=True) or "~"


def _errors(question: DeviceRequest, outcome: LicensingOutcome) -> Mapping[str, Sequence[str]]:
    is_missing = outcome is LicensingOutcome.IDENTIFIER_REQUIRED or question.license_key is None
    if outcome not in _MISSING or not is_missing:
        return {}
    field, message = _MISSING[outcome]
    return {field: [message]}


def _public(license_: License, now: datetime) -> Answer:
    """Without the key (the caller has it, and answers are kept), the customer, and other devices."""
    return {
        "product_uuid": license_.product_id,
        "status": license_.state_at(now).value,
        "expires_at": _instant(license_.expires_at) if license_.expires_at else None,
        "activation_limit": max(0, license_.activation_limit),
    }


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
