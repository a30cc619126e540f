"""What the values of enumerations mean, in words."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from telemetry.domain import failed_call, spikes
from telemetry.domain.active_users import Audience
from telemetry.domain.api_key import Capability, KeyKind, Role
from telemetry.domain.environment import Environment
from telemetry.domain.flags import Flag
from telemetry.domain.license import LicenseState
from telemetry.domain.window import Range


class Words(NamedTuple):
    """What an enumeration is, and its values: `title` is what the page shows, `description` what the value means."""

    meaning: str
    values: Mapping[str, Mapping[str, Any]]


def _words(meaning: str, enumeration: type[StrEnum], said: Mapping[Any, tuple[str, str]]) -> Words:
    """Raises KeyError when a value has no words."""
    return Words(meaning, {each.value: {"title": said[each][0], "description": said[each][1]} for each in enumeration})


_FLAGS = {
    Flag.INVALID_LICENSE: (
        "Invalid licence",
        "The licence key is known in no environment, or it is missing and the product requires one.",
    ),
    Flag.ENVIRONMENT_MISMATCH: ("Environment mismatch", "The licence key belongs to another environment."),
    Flag.REVOKED_LICENSE: ("Revoked licence", "The licence is revoked."),
    Flag.BYPASSED_ACTIVATION: ("Bypassed activation", "No active activation of the licence matches the device."),
    Flag.EXPIRED_LICENSE: ("Expired licence", "The licence has expired."),
    Flag.SUSPENDED_LICENSE: ("Suspended licence", "The licence is suspended."),
    Flag.UNASSIGNED_LICENSE: ("Unassigned licence", "The licence is available: nobody has it."),
    Flag.PRODUCT_MISMATCH: ("Product mismatch", "The licence is of another product."),
    Flag.MALFORMED: ("Malformed", "A field is missing or of a wrong type, or the body cannot be read."),
    Flag.UNKNOWN_PRODUCT: ("Unknown product", "The product is not registered."),
    Flag.UNKNOWN_ACTIVITY_TYPE: (
        "Unknown activity type",
        "The product has a list of activity types, and this one is not in it.",
    ),
    Flag.ENVIRONMENT_TEXT_CONFLICT: ("Environment text conflict", "The event names another environment."),
    Flag.CLOCK_SKEW: (
        "Clock skew",
        "The time of the event is more than 24 hours after, or 35 days before, the time of receipt.",
    ),
    Flag.EVENT_ID_CONFLICT: ("Event id conflict", "Other content is stored under the same event id."),
    Flag.CLIENT_REPORTED: ("Client reported", "The SDK sent flags of its own."),
    Flag.PLACEHOLDER_ID: ("Placeholder id", "Programs send this id of a user or device when they have none."),
}
_CAUSES = {
    failed_call.Cause.BAD_KEY: "No API key, or one that was never issued.",
    failed_call.Cause.INACTIVE_KEY: "The API key was revoked or has expired.",
    failed_call.Cause.FORBIDDEN: "The API key lacks the capability, or is of another environment than the call names.",
    failed_call.Cause.ADDRESS_NOT_ALLOWED: "The caller's address is not in the allowed networks of the API key.",
    failed_call.Cause.MALFORMED: "Nothing could be read in the body. It is stored and was answered 200.",
    failed_call.Cause.UNAVAILABLE: "Storage did not answer in time; the client was asked to send again.",
    failed_call.Cause.UNKNOWN_ROUTE: "No route has this path, or not with this method.",
    failed_call.Cause.FAILED: "An internal error; the log has the cause.",
}

ENUMERATIONS: Mapping[str, Words] = {
    "Environment": _words(
        "An environment of the customer. An SDK key opens one, a staff key holds a set of them.",
        Environment,
        {
            Environment.PRODUCTION: ("Production", "What customers use."),
            Environment.STAGING: ("Staging", "What is tested before a release."),
            Environment.DEVELOPMENT: ("Development", "What developers use."),
        },
    ),
    "Flag": Words(
        "A finding on a record. `x-class` is what it is about: piracy and licence flags take a user off the bill.",
        {
            flag.value: {
                "title": _FLAGS[flag][0],
                "description": _FLAGS[flag][1],
                "x-class": flag.flag_class.value,
            }
            for flag in Flag
        },
    ),
    "Role": _words(
        "What a staff key may do. Each role includes the ones before it.",
        Role,
        {
            Role.VIEWER: ("Viewer", "Totals, trends, versions and reports; no records, addresses, users or keys."),
            Role.ADMIN: ("Admin", "All of a viewer, records, and administration except retention and staff keys."),
            Role.SUPER_ADMIN: ("Super admin", "Everything in the environments of the key."),
        },
    ),
    "Capability": _words(
        "What an SDK key may do.",
        Capability,
        {
            Capability.INGEST: ("Ingest", "Send events; verify, activate and deactivate licences."),
            Capability.READ: ("Read", "Read telemetry back."),
            Capability.REPORT: ("Report", "Read the reports for finance."),
        },
    ),
    "KeyKind": _words(
        "SDK keys have capabilities in one environment; staff keys have a role in a set of environments.",
        KeyKind,
        {KeyKind.SDK: ("SDK", "A key for programs."), KeyKind.STAFF: ("Staff", "A key for people.")},
    ),
    "Audience": _words(
        "Who is counted.",
        Audience,
        {
            Audience.USERS: ("Users", "Users with a record that carries no piracy and no licence flag."),
            Audience.ALL_USERS: ("All users", "Users with a record, whatever its flags."),
            Audience.DEVICES: ("Devices", "Devices with a record, whatever its flags."),
        },
    ),
    "Range": _words(
        "A window of time that ends now.",
        Range,
        {
            Range.DAY: ("24 hours", "The current UTC hour and the 23 hours before it."),
            Range.WEEK: ("7 days", "Today and the 6 UTC days before."),
            Range.MONTH: ("30 days", "Today and the 29 UTC days before."),
            Range.QUARTER: ("90 days", "Today and the 89 UTC days before."),
            Range.TODAY: ("today", "The current UTC day."),
            Range.YESTERDAY: ("yesterday", "The UTC day before today."),
            Range.THIS_MONTH: ("this month", "The current month of UTC days, up to today."),
            Range.LAST_MONTH: ("last month", "The whole month of UTC days before this one."),
        },
    ),
    "LicenseState": _words(
        "The state of a licence. Revoked is final.",
        LicenseState,
        {
            LicenseState.AVAILABLE: ("Available", "Nobody has it."),
            LicenseState.ASSIGNED: ("Assigned", "A customer has it; no device was activated yet."),
            LicenseState.ACTIVE: ("Active", "A device was activated."),
            LicenseState.SUSPENDED: ("Suspended", "Staff stopped it; it may be resumed."),
            LicenseState.EXPIRED: ("Expired", "Its end has passed."),
            LicenseState.REVOKED: ("Revoked", "Staff ended it."),
        },
    ),
    "Cause": _words(
        "What opened an episode of spikes.",
        spikes.Cause,
        {
            spikes.Cause.HOUR: ("Flagged in an hour", "A product has far more flagged records in an hour than usual."),
            spikes.Cause.LICENSE: ("Flagged with a licence", "A licence has 50 flagged records in a day."),
            spikes.Cause.API_KEY: ("Events of a key", "An API key sends far more events in an hour than usual."),
        },
    ),
    "FailedCallCause": Words(
        "Why nothing was stored of a call, or nothing could be read.",
        {
            cause.value: {"title": cause.value.replace("_", " "), "description": _CAUSES[cause]}
            for cause in failed_call.Cause
        },
    ),
}
