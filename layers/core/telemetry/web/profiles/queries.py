"""What the routes about developers and companies are asked, and where their pages begin."""

import json
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, StringConstraints

from telemetry.domain.errors import InvalidCursor, NotFound
from telemetry.domain.keyring import Keyring
from telemetry.domain.profiles.cards import Order
from telemetry.domain.profiles.ids import fingerprint_of
from telemetry.domain.profiles.search import Wanted
from telemetry.domain.profiles.views import Closed
from telemetry.services.record_export import ExportProgress
from telemetry.web.analytics import ProductId
from telemetry.web.http import Request
from telemetry.web.paging import position_of
from telemetry.web.records import EnvironmentQuery, Format, Text

LARGEST_PAGE = 100
USUAL_PAGE = 25

Country = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z]{2}$")]


class ProfileQuery(EnvironmentQuery):
    """A product, which must be named, and how its days were attributed: by default as they were last."""

    product: ProductId
    view: int | None = Field(None, ge=0, le=1_000_000)


class CompanyQuery(ProfileQuery):
    """A page of a company's developers."""

    limit: int = Field(USUAL_PAGE, ge=1, le=LARGEST_PAGE)
    cursor: str | None = None

    def after(self, request: Request, keyring: Keyring) -> bytes | None:
        """The developer that the page before ended with. Raises InvalidCursor."""
        position = position_of(self.cursor, request, keyring)
        return None if position is None else fingerprint_of(position)


class SearchQuery(ProfileQuery):
    """Which companies or developers."""

    name: Text | None = None
    cursor: str | None = Field(None, exclude=True)

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.name)

    def named(self) -> dict[str, Any]:
        """What was asked for, as the audit log notes it."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"environment"})


class CompanySearchQuery(SearchQuery):
    """Companies by name and country."""

    country: Country | None = None

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.name, country=self.country)


class DeveloperSearchQuery(SearchQuery):
    """Developers by name and company."""

    company: Text | None = None

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.name, company=self.company)


class ProfileListQuery(SearchQuery):
    """A page of a list."""

    order: Order = Order.ACTIVE
    limit: int = Field(USUAL_PAGE, ge=1, le=LARGEST_PAGE)

    @property
    def is_of_names(self) -> bool:
        """Whether the answer would tell more than totals."""
        return self.cursor is not None or not self.wanted.is_any


class CompanyListQuery(ProfileListQuery, CompanySearchQuery):
    """A page of companies."""


class DeveloperListQuery(ProfileListQuery, DeveloperSearchQuery):
    """A page of developers."""


class CompanyExportQuery(CompanySearchQuery):
    """All companies, as a file."""

    format: Format


class DeveloperExportQuery(DeveloperSearchQuery):
    """All developers, as a file."""

    format: Format


class Made(NamedTuple):
    """What a list is of. The next page is of the same, or there is none: lists are made anew with each closed day."""

    day: str | None
    view: int | None

    @classmethod
    def of(cls, closed: Closed | None) -> Self:
        return cls(closed.day.isoformat(), closed.attributed.view) if closed else cls(None, None)


def check_made(made: Made | None, closed: Closed | None) -> None:
    """Raises InvalidCursor for a page of what has been made anew since; None is a first page."""
    if made is not None and made != Made.of(closed):
        raise InvalidCursor


class ListPlace(NamedTuple):
    """Where a page begins, and of what; nobody knows yet what a first page will be of."""

    start: int = 0
    made: Made | None = None

    @classmethod
    def of(cls, query: ProfileListQuery, request: Request, keyring: Keyring) -> Self:
        """Raises InvalidCursor."""
        position = position_of(query.cursor, request, keyring)
        if position is None:
            return cls()
        start, *made = json.loads(position)
        return cls(start, Made(*made))


def list_after(rest: int | None, closed: Closed | None) -> str | None:
    """The position of the next page of a list."""
    return None if rest is None else json.dumps([rest, *Made.of(closed)], separators=(",", ":"))


class ExportPlace(NamedTuple):
    """How far an export has come, and of what."""

    progress: ExportProgress
    made: Made | None = None

    @classmethod
    def of(cls, query: SearchQuery, request: Request, keyring: Keyring) -> Self:
        """Raises InvalidCursor."""
        position = position_of(query.cursor, request, keyring)
        if position is None:
            return cls(ExportProgress())
        rows, digest, *made = json.loads(position)
        return cls(ExportProgress(None, rows, bytes.fromhex(digest)), Made(*made))


def export_after(progress: ExportProgress, closed: Closed | None) -> str:
    """The position of the next page of an export."""
    return json.dumps([progress.rows, progress.digest.hex(), *Made.of(closed)], separators=(",", ":"))


def developer_of(id_: str) -> bytes:
    """The fingerprint that an id in a path stands for. Raises NotFound."""
    found = fingerprint_of(id_)
    if found is None:
        raise NotFound(f"developer {id_}")
    return found
