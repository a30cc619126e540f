"""ETags of versions and of contents."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

from telemetry.domain.errors import StaleVersion
from telemetry.web.problems import VersionRequired

_ETAG = re.compile(r'"([1-9][0-9]{0,17})"')


def etag(version: int) -> str:
    """`"3"`."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that an If-Match header names. Raises StaleVersion for anything else."""
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


def content_etag(body: str) -> str:
    """`"9f86d081884c7d659a2feaa0c55ad015"`: a strong tag, the same only for the same bytes."""
    return f'"{sha256(body.encode()).hexdigest()[:32]}"'


def is_current(if_none_match: str | None, tag: str) -> bool:
    """Whether If-None-Match contains this tag; compared weakly (RFC 9110, 13.1.2)."""
    known = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    return bool(known & {tag.removeprefix("W/"), "*"})


def weak_etag(body: Mapping[str, object]) -> str:
    """`W/"9f86d081884c7d65…"`: the same for answers that differ only in when they were made (`as_of`)."""
    return f"W/{content_etag(json.dumps({name: value for name, value in body.items() if name != 'as_of'}))}"
