"""Versions as entity tags."""

import re

from telemetry.domain.errors import StaleVersion
from telemetry.web.problems import VersionRequired

_ETAG = re.compile(r'"([1-9][0-9]{0,17})"')


def etag(version: int) -> str:
    """`"3"`."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version an If-Match header names. Raises StaleVersion for anything but one of our tags."""
    if if_match is None:
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if not found:
        raise StaleVersion
    return int(found[1])


def required_version(if_match: str | None) -> int:
    """The version an If-Match header names. Raises VersionRequired when there is none."""
    version = version_of(if_match)
    if version is None:
        raise VersionRequired
    return version
