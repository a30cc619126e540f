"""The audit log, and the history of one thing in it."""

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

Kind = Annotated[str, Query(pattern="^[a-z_]{1,40}$", description="As actions begin: `license` of `license.revoke`")]
Entity = Annotated[str, Query(min_length=1, max_length=256, description="The id of what changed")]


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


@router.admin("GET", "/history")
def get_history(
    call: ThisCall,
    environment: InEnvironment,
    kind: Kind,
    entity: Entity,
    limit: Limit = USUAL_PAGE,
    cursor: Cursor = None,
) -> Response[AuditEntryPage]:
    """All that was ever done to one thing, newest first; a change is in it a moment later."""
    page = audit.read_history(kind, entity, environment, limit, call.position(cursor), call.stores)
    return call.page(page, AuditEntry.of, AuditEntryPage)
