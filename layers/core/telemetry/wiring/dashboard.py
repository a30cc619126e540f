"""The wiring of the dashboard function."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from telemetry.clock import Clock
from telemetry.services.sign_in import Desk
from telemetry.settings import Settings
from telemetry.web.assets import Asset, load_assets
from telemetry.wiring.staff import StaffWiring


@dataclass(frozen=True)
class DashboardWiring(StaffWiring):
    """The page, and where staff sign in."""

    page: Path

    @classmethod
    def with_page(cls, page: Path, clock: Clock) -> Self:
        """`page` is the folder with its files. Raises ConfigurationError."""
        return cls(Settings.from_env(), clock, page)

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        """The page's files, as `make page` built them. Raises ConfigurationError when there are none."""
        return load_assets(self.page)

    @property
    def desk(self) -> Desk:
        return Desk.of(self.registry, self.keyring)
