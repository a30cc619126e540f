"""One request about the developers and companies of a product, from its parameters to its answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from aws_lambda_powertools.event_handler import Response

from telemetry.domain.api_key import Role
from telemetry.domain.errors import NotFound
from telemetry.domain.keyring import Keyring
from telemetry.domain.profiles.cards import CompanyCard, DeveloperCard
from telemetry.domain.profiles.ids import id_of
from telemetry.domain.profiles.views import Closed, CompanyRow, DeveloperRow, Listing
from telemetry.domain.staff import Staff
from telemetry.services.profiles.export import card_page
from telemetry.services.profiles.listing import AskedPage, company_page, developer_page
from telemetry.services.profiles.ports import Profiles
from telemetry.web.http import Request
from telemetry.web.paging import cursor_of, next_link
from telemetry.web.profiles import lines, queries
from telemetry.web.profiles.bodies import ProfileShape
from telemetry.web.records import Format

C = TypeVar("C", CompanyCard, DeveloperCard)
R = TypeVar("R", CompanyRow, DeveloperRow)


class Given(NamedTuple):
    """A body, and the Link header to the next page."""

    body: Mapping[str, Any]
    link: dict[str, str]


@dataclass(frozen=True, slots=True)
class AskedOfProduct:
    """`profiles` is None for a product whose developers and companies are not listed: there is nobody then."""

    profiles: Profiles | None
    shape: ProfileShape
    staff: Staff
    request: Request
    keyring: Keyring

    def companies(self, query: queries.CompanyListQuery) -> Given:
        """A page; for a viewer totals. Raises Forbidden for a viewer who asks for more."""
        if not self._sees_names(query):
            return Given(self.shape.company_totals(query, self._closed(query)), {})
        found = self._page(query, company_page)
        next_, link = self._leading_to(queries.list_after(found.rest, found.closed))
        return Given(self.shape.companies(query, found, next_), link)

    def developers(self, query: queries.DeveloperListQuery) -> Given:
        """A page; for a viewer totals. Raises Forbidden for a viewer who asks for more."""
        if not self._sees_names(query):
            return Given(self.shape.developer_totals(query, self._closed(query)), {})
        found = self._page(query, developer_page)
        next_, link = self._leading_to(queries.list_after(found.rest, found.closed))
        return Given(self.shape.developers(query, found, next_), link)

    def company(self, query: queries.CompanyQuery, id_: str) -> Given:
        """A company. Raises NotFound."""
        after, today = query.after(self.request, self.keyring), self.staff.now.date()
        found = self.profiles and self.profiles.company(query.product, id_, after, query.limit, today, query.view)
        if not found:
            raise NotFound(f"company {id_}")
        next_, link = self._leading_to(id_of(found.rest) if found.rest else None)
        return Given(self.shape.company(found, next_), link)

    def developer(self, query: queries.ProfileQuery, id_: str) -> Given:
        """A developer. Raises NotFound."""
        fingerprint, today = queries.developer_of(id_), self.staff.now.date()
        found = self.profiles and self.profiles.developer(query.product, fingerprint, today, query.view)
        if not found:
            raise NotFound(f"developer {id_}")
        return Given(self.shape.developer(found), {})

    def company_file(self, query: queries.CompanyExportQuery) -> Response[str]:
        """A page of a file of all companies."""

        def cards(profiles: Profiles, view: int) -> Iterator[CompanyCard]:
            return filter(query.wanted.fits_company, profiles.all_companies(query.product, view))

        line, header = (
            lines.company_line(query.format, self.shape),
            lines.header_of(lines.COMPANY_COLUMNS, query.format),
        )
        return self._file("companies", query, query.format, cards, line, header)

    def developer_file(self, query: queries.DeveloperExportQuery) -> Response[str]:
        """A page of a file of all developers."""

        def cards(profiles: Profiles, view: int) -> Iterator[DeveloperCard]:
            return filter(query.wanted.fits_developer, profiles.all_developers(query.product, view))

        line = lines.developer_line(query.format, self.shape)
        header = lines.header_of(lines.DEVELOPER_COLUMNS, query.format)
        return self._file("developers", query, query.format, cards, line, header)

    def _file(
        self,
        what: str,
        query: queries.SearchQuery,
        format_: Format,
        cards: Callable[[Profiles, int], Iterator[C]],
        line: Callable[[C], bytes],
        header: bytes,
    ) -> Response[str]:
        place, closed = queries.ExportPlace.of(query, self.request, self.keyring), self._closed(query)
        queries.check_made(place.made, closed)
        all_ = cards(self.profiles, closed.attributed.view) if self.profiles and closed else iter(())
        page = card_page(all_, place.progress, line, b"" if query.cursor else header)
        position = queries.export_after(page.progress, closed) if page.has_more else None
        link = next_link(self.request, position, self.keyring)
        return lines.file_answer(what, page, format_, self.shape, closed, link)

    def _page(self, query: queries.ProfileListQuery, read: Callable[[Profiles, AskedPage], Listing[R]]) -> Listing[R]:
        place, today = queries.ListPlace.of(query, self.request, self.keyring), self.staff.now.date()
        asked = AskedPage(query.product, query.wanted, query.order, place.start, query.limit, today, query.view)
        found = read(self.profiles, asked) if self.profiles else Listing[R](None, (), (), 0, None)
        queries.check_made(place.made, found.closed)
        return found

    def _leading_to(self, position: str | None) -> tuple[str | None, dict[str, str]]:
        """The cursor of the next page, and the Link header."""
        cursor = position and cursor_of(self.request, position, self.keyring)
        return cursor, next_link(self.request, position, self.keyring)

    def _sees_names(self, query: queries.ProfileListQuery) -> bool:
        if query.is_of_names:
            self.staff.require(Role.ADMIN)
        return self.staff.has(Role.ADMIN)

    def _closed(self, query: queries.ProfileQuery) -> Closed | None:
        return self.profiles.closed(query.product, query.view) if self.profiles else None
