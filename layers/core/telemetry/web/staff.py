"""The staff member that a request comes from."""

from datetime import datetime

from telemetry.domain.api_key import ApiKey, Role, without_keys
from telemetry.domain.staff import Author, Staff
from telemetry.web.authentication import Authenticator, credentials_of
from telemetry.web.http import Request

LONGEST_USER_AGENT = 256


def staff_of(request: Request, role: Role, authenticator: Authenticator, now: datetime) -> Staff:
    """The caller, and the environments open to this request. Raises Unauthenticated, Forbidden and their subclasses."""
    key, environments = authenticator.staff_access(credentials_of(request), role, request.source_ip, now)
    return Staff(key, environments, author_of(request, key, now))


def author_of(request: Request, key: ApiKey, now: datetime) -> Author:
    """The caller, as in the audit log."""
    user_agent = without_keys(request.headers.get("user-agent", ""))[:LONGEST_USER_AGENT]
    at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as it is stored
    return Author(key.id, key.name, at, request.source_ip, user_agent, request.request_id)
