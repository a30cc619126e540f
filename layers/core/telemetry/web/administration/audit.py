"""The audit log."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from telemetry.services.administration import audit
from telemetry.web.administration.audit_entry import AuditEntry
from telemetry.web.administration.models import Page
from telemetry.web.administration.routing import AdminRouter, Cursor, InEnvironment, Limit, ThisCall
from telemetry.web.moments import Instant
from telemetry.web.paging import USUAL_PAGE

router = AdminRouter()


class AuditEntryPage(Page[AuditEntry]):
    """Some entries."""


@router.admin("GET", "/audit")
def list_audit(
    call: ThisCall,
    environment: InEnvironment,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[AuditEntryPage]:
    """Changes in an environment and of what all environments share, newest first; by default of the last 31 days."""
    page = audit.read_audit(environment, since, until or call.staff.now, limit, call.position(cursor), call.stores)
    return call.page(page, AuditEntry.of, AuditEntryPage)
