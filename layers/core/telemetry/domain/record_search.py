"""Records looked for by staff, and what is shown of them."""

from dataclasses import dataclass, replace

from telemetry.domain.customer import Customer
from telemetry.domain.flags import Flag
from telemetry.domain.judge import Verdict
from telemetry.domain.license import License
from telemetry.domain.record import Record
from telemetry.domain.record_contents import Contents
from telemetry.domain.window import Window


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records match; None matches any value. Users and devices are named as they are counted.

    `license_id` is a licence's id, or the name of a licence key (`record.license_named`), which need not be issued.
    """

    window: Window
    product: str | None = None
    license_id: str | None = None
    customer_id: str | None = None
    user: str | None = None
    device: str | None = None
    source_ip: str | None = None
    is_flagged: bool | None = None
    flag: Flag | None = None
    version: str | None = None
    api_key_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as it is shown: what it says, and what today's registry knows of its licence.

    `judged_later` is what was said of a record that was stored unjudged; None: it was judged at once, or not yet.
    """

    record: Record
    contents: Contents
    judged_later: Verdict | None
    license: License | None
    customer: Customer | None
    is_forgotten: bool = False
    """Its user or device is forgotten."""

    def forgotten(self) -> "RecordView":
        """What is still shown of it, once its user or device is forgotten."""
        later = self.judged_later and Verdict(self.judged_later.flags, str(self.judged_later.rules_version or ""))
        return replace(
            self,
            record=self.record.forgotten(),
            contents=self.contents.forgotten(),
            judged_later=later,
            is_forgotten=True,
        )

    @property
    def flags(self) -> frozenset[Flag]:
        """With those it got later."""
        return self.record.flags | (self.judged_later.flags if self.judged_later else frozenset())

    @property
    def seen(self) -> dict[Flag, str]:
        """What was seen, by flag."""
        return {flag: text for verdict in self._verdicts for flag, text in verdict.seen.items()}

    @property
    def rules_version(self) -> int | None:
        """The latest version of the rules by which it was flagged; None for a clean record."""
        versions = [verdict.rules_version for verdict in self._verdicts]
        return max((version for version in versions if version), default=None)

    @property
    def _verdicts(self) -> list[Verdict]:
        stored = Verdict(self.record.flags, self.record.evidence)
        return [stored, self.judged_later] if self.judged_later else [stored]
