"""Customers: who licences are given to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer, the same in all environments. `version` grows with every change."""

    id: str
    name: str
    email: str | None
    created_at: datetime
    version: int = 1
