"""What there is in an export, counted once more by a program that keeps all of it in lists.

Of the service it takes how an event is read. All else is written down here once more.
"""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from telemetry.dialects import getkeymanager, reo
from telemetry.domain.event import Dialect, Event
from telemetry.domain.values.value import counted_text
from tests.recount_profiles import Exported
from tests.recount_values import Recount

UNNAMED = "~unknown"

BILLS_NOBODY = frozenset({
    "INVALID_LICENSE", "ENVIRONMENT_MISMATCH", "REVOKED_LICENSE", "BYPASSED_ACTIVATION",
    "EXPIRED_LICENSE", "SUSPENDED_LICENSE", "UNASSIGNED_LICENSE", "PRODUCT_MISMATCH",
})  # fmt: skip
"""The flags that keep a record from counting for finance."""

Audience = Literal["users", "all_users", "devices"]


@dataclass(frozen=True, slots=True)
class Received:
    """A line of an export as NDJSON, and the event in it."""

    row: Mapping[str, Any]
    event: Event

    @classmethod
    def of(cls, line: str) -> "Received":
        row = json.loads(line)
        body = row["raw"]["text"].encode() if "text" in row["raw"] else b64decode(row["raw"]["base64"])
        return cls(row, reo.parse(body) if row["dialect"] == "reo" else getkeymanager.parse_one(body))

    @property
    def at(self) -> str:
        return str(self.row["received_at"])

    @property
    def day(self) -> date:
        return date.fromisoformat(self.at[:10])

    @property
    def flags(self) -> list[str]:
        flags: list[str] = self.row["flags"]
        return flags

    @property
    def version(self) -> str:
        return self.row["version"] or UNNAMED

    @property
    def license_id(self) -> str | None:
        return str(self.row["license"]["id"]) if self.row["license"] else None

    @property
    def uses(self) -> int:
        """Only product usage is one."""
        return (self.event.count or 1) if self.event.dialect is Dialect.REO else 0

    @property
    def device(self) -> str | None:
        """The one that counts: the same in upper and lower case, and with or without a dot at its end."""
        return (self.event.counted_device or "").lower().removesuffix(".") or None

    def who(self, audience: Audience) -> str | None:
        """Whom it shows in an audience."""
        device = self.device and f"device {self.device}"
        if audience == "devices":
            return device
        if audience == "users" and BILLS_NOBODY & set(self.flags):
            return None
        return f"user {self.event.counted_user}" if self.event.counted_user else device

    def exported(self, environment: str) -> Exported:
        """For a recount of companies. Nothing is read in a body that is no text."""
        return {
            "environment": environment,
            "product": self.row["product"],
            "received_at": self.at,
            "dialect": self.event.dialect,
            "body": self.event.raw.decode(errors="replace"),
            "source_ip": self.row["ip"],
        }


@dataclass(frozen=True)
class Records:
    """Records, in any order."""

    all: Sequence[Received]

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Received]:
        return iter(self.all)

    def where(self, is_wanted: Callable[[Received], bool]) -> "Records":
        return Records([each for each in self.all if is_wanted(each)])

    def of(self, product: str | None) -> "Records":
        """Of a product; None is all."""
        return self.where(lambda each: product is None or each.row["product"] == product)

    def within(self, start: str, end: str) -> "Records":
        """Those received from one instant on and before another, both written as the export does."""
        return self.where(lambda each: start <= each.at < end)

    def on(self, first: date, last: date) -> "Records":
        """Those of some UTC days."""
        return self.where(lambda each: first <= each.day <= last)

    @property
    def flagged(self) -> "Records":
        return self.where(lambda each: bool(each.flags))

    def active(self, audience: Audience) -> set[str]:
        """Everybody in an audience."""
        return {who for each in self.all if (who := each.who(audience))}

    def active_over(self, last: date, days: int, audience: Audience = "users") -> int:
        """How many are in an audience over so many UTC days that end with the last one."""
        return len(self.on(last - timedelta(days=days - 1), last).active(audience))

    def flags(self) -> Counter[str]:
        return Counter(flag for each in self.all for flag in each.flags)

    def versions(self) -> Counter[str]:
        return Counter(each.version for each in self.all)

    def uses(self) -> Counter[str]:
        """By activity type."""
        uses = Counter[str]()
        for each in self.all:
            if each.uses:
                uses[each.event.group or UNNAMED] += each.uses
        return uses

    def products(self) -> set[str]:
        return {each.row["product"] for each in self.all}

    def values(self) -> dict[tuple[str, str], Recount]:
        """By group and type. A malformed record has no value, and product usage has none."""
        found: dict[tuple[str, str], Recount] = {}
        for each in self.all:
            value = each.event.value
            if value is not None and "MALFORMED" not in each.flags:
                told = counted_text(value) if isinstance(value, str) else value
                key = each.event.group or UNNAMED, str(each.event.data_type)
                found.setdefault(key, Recount()).rows.append((each.at, each.version, told))
        return found

    def days(self) -> set[date]:
        return {each.day for each in self.all}

    def distinct(self, value: Callable[[Received], object]) -> int:
        """How many values there are but None."""
        return len({value(each) for each in self.all} - {None})

    def most_of_a_day(self, value: Callable[[Received], object]) -> int:
        """The highest number of distinct values of one UTC day."""
        return max((self.on(day, day).distinct(value) for day in self.days()), default=0)


def received(lines: Iterable[str]) -> Records:
    """Of an export as NDJSON."""
    return Records([Received.of(line) for line in lines])
