"""What routes need of developers and companies of one environment (services.profiles.reader.ProfileReader)."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

from telemetry.domain.profiles.cards import CompanyCard, DeveloperCard, Order
from telemetry.domain.profiles.views import Closed, CompanyRow, CompanyView, DeveloperRow, DeveloperView, Listing


class Profiles(Protocol):
    """All raise StoreUnavailable. `view` is how days were attributed, by default as they were last."""

    def closed(self, product: str, view: int | None = None) -> Closed | None: ...

    def companies(
        self, product: str, order: Order, start: int, limit: int, today: date, view: int | None = None
    ) -> Listing[CompanyRow]: ...

    def developers(
        self, product: str, order: Order, start: int, limit: int, today: date, view: int | None = None
    ) -> Listing[DeveloperRow]: ...

    def company(
        self, product: str, company_id: str, after: bytes | None, limit: int, today: date, view: int | None = None
    ) -> CompanyView | None: ...

    def developer(
        self, product: str, fingerprint: bytes, today: date, view: int | None = None
    ) -> DeveloperView | None: ...

    def all_companies(self, product: str, view: int | None = None) -> Iterator[CompanyCard]:
        """All that were active in the last 90 days, in the same order each time as long as day and view are the same.

        So do developers.
        """

    def all_developers(self, product: str, view: int | None = None) -> Iterator[DeveloperCard]: ...
