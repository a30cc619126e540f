"""Views of a product: days attributed anew, and which view is shown."""

from datetime import date, datetime, timedelta

from telemetry.domain.active_users import Outdated
from telemetry.domain.errors import ChangedMeanwhile, InvalidField, NotFound
from telemetry.domain.license import ActionNotAllowed
from telemetry.domain.profiles.closing import Range, View
from telemetry.storage.changes import Logged
from telemetry.storage.profiles.views import ViewStore


def begin_anew(views: ViewStore, product: str, days: Range, now: datetime, logged: Logged | None = None) -> View:
    """Begins a view in which these days are attributed with what there is when they are closed again.

    Closing makes it, and shows it when it has come as far as the one that is shown. Raises NotFound before the first
    day is closed, InvalidField for days of which none is closed, ActionNotAllowed while another view is under way.
    """
    known, current = views.views(product, consistent=True), views.current(product)
    shown = known.get(current.view)
    if shown is None or shown.first is None or shown.closed is None:
        raise NotFound(f"closed day of {product}'s profiles")
    if days.last < shown.first or days.first > shown.closed:
        raise InvalidField("first_day", f"Closed are the days from {shown.first} to {shown.closed}")
    number = max(known) + 1
    if number > current.latest + 1:
        raise _under_way(number - 1)
    view = View(number, now, base=shown.number, anew=days, first=shown.first)
    try:
        views.begin(product, view, logged)
    except Outdated:
        raise _under_way(number) from None
    return view


def show_again(views: ViewStore, product: str, number: int, oldest: date, logged: Logged) -> None:
    """Shows a view that was shown before; closing goes on with it where it stands.

    `oldest` is the first day that still has all its records. Raises NotFound, ActionNotAllowed, ChangedMeanwhile.
    """
    known, current = views.views(product, consistent=True), views.current(product)
    view = known.get(number)
    if view is None:
        raise NotFound(f"view {number} of {product}")
    if number == current.view:
        return
    if number > current.latest or view.closed is None:
        raise _under_way(number)
    if view.closed + timedelta(days=1) < oldest:
        raise ActionNotAllowed(f"View {number} ends on {view.closed}, and records of the days after it are gone")
    try:
        views.show(product, number, current, logged)
    except Outdated as exc:
        raise ChangedMeanwhile(f"views of {product}") from exc


def _under_way(number: int) -> ActionNotAllowed:
    return ActionNotAllowed(f"View {number} is being made")
