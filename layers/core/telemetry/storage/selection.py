"""What is looked for among records, told three ways: where it lies, what DynamoDB may leave out, and what fits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import NamedTuple, Self

from pynamodb.expressions.condition import Condition

from telemetry.domain import flags as flag_codes
from telemetry.domain.flags import Flag
from telemetry.domain.instant import from_milliseconds, from_seconds
from telemetry.domain.keys import key_text
from telemetry.domain.record import RecordKey, license_in, product_in
from telemetry.domain.shards import shard_of
from telemetry.storage.index_partition import EVERY_CLASS, FLAGGED, IndexPartition
from telemetry.storage.record_item import RecordItem, data_type_code, data_type_of


class Listed(NamedTuple):
    """What a list tells of a record; `item` is all of it, where that was read anyway."""

    key: RecordKey
    product: str
    record_class: str
    received_at: datetime
    expires_at: datetime
    user: bytes | None
    device: bytes | None
    version: str | None
    source_ip: str
    flags: frozenset[Flag]
    data_type: str | None = None
    group: str | None = None
    address: str | None = None
    api_key_id: str | None = None
    item: RecordItem | None = None

    @classmethod
    def of(cls, item: RecordItem) -> Self:
        """As the index lists it."""
        place = IndexPartition.parse(item.index_partition)
        return cls(
            key=item.key,
            product=place.product,
            record_class=place.record_class,
            received_at=from_milliseconds(item.received_at),
            expires_at=from_seconds(item.expires_at),
            user=item.user,
            device=item.device,
            version=item.product_version,
            source_ip=item.source_ip,
            flags=flag_codes.decode(item.flags or ""),
            data_type=data_type_of(item.data_type),
            group=item.group,
            address=item.address,
            api_key_id=item.api_key_id,
        )

    @property
    def is_flagged(self) -> bool:
        """By a flag, also one that only a later version knows."""
        return bool(self.flags) or self.record_class == FLAGGED


@dataclass(frozen=True, slots=True)
class Selection:
    """What is looked for, as far as the index tells it; None where any will do.

    products   what it counts for; `classes` the classes it may be of
    address    the caller's, or the event's own
    data_type  and `group`: as `domain.record.listed` has them
    api_key_id the key that brought it
    sent_as    the product id it was sent under, as `domain.record.product_named` has it
    licenses   whose it is, as `domain.record.license_named` has them; None among them: nobody's
    """

    products: frozenset[str]
    classes: Sequence[str] = EVERY_CLASS
    user: bytes | None = None
    device: bytes | None = None
    version: str | None = None
    address: str | None = None
    data_type: str | None = None
    group: str | None = None
    api_key_id: str | None = None
    sent_as: str | None = None
    licenses: frozenset[str | None] | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether there may be much in its partitions that is not looked for."""
        return self != Selection(self.products, self.classes)

    def partitions(self, marked: Iterable[IndexPartition], shards: int) -> list[str]:
        """Of the marked partitions of a day that has so many shards, those where it lies; others' records are too."""
        of_user = None if self.user is None else shard_of(self.user, shards)
        return [
            str(place)
            for place in marked
            if place.product in self.products and place.record_class in self.classes and of_user in {None, place.shard}
        ]

    def fits(self, record: Listed) -> bool:
        return (
            record.product in self.products
            and record.record_class in self.classes
            and self.user in {None, record.user}
            and self.device in {None, record.device}
            and self.version in {None, record.version}
            and self.address in {None, record.source_ip, record.address}
            and self.data_type in {None, record.data_type}
            and self.group in {None, record.group}
            and self.api_key_id in {None, record.api_key_id}
            and self.sent_as in {None, product_in(record.key.partition)}
            and (self.licenses is None or license_in(record.key.partition) in self.licenses)
        )

    def condition(self, model: type[RecordItem]) -> Condition | None:
        """What a Query need not give, because it does not fit: told by attributes that are in no key."""
        wanted = (
            (model.user, self.user),
            (model.device, self.device),
            (model.product_version, self.version),
            (model.data_type, data_type_code(self.data_type)),
            (model.group, self.group),
            (model.api_key_id, self.api_key_id),
        )
        conditions = [attribute == value for attribute, value in wanted if value is not None]
        if self.address is not None:
            conditions.append((model.source_ip == self.address) | (model.address == self.address))
        return reduce(and_, conditions) if conditions else None

    def scan_condition(self, model: type[RecordItem], in_time: Condition) -> Condition:
        """The same for a Scan, which may look at keys too, and leaves out what was received at other times."""
        conditions = [each for each in (in_time, self.condition(model)) if each is not None]
        if len(self.products) == 1:
            conditions.append(model.index_partition.startswith(f"{key_text(*self.products)}#"))
        if set(self.classes) != set(EVERY_CLASS):
            conditions.append(reduce(or_, (model.index_partition.contains(f"#{each}#") for each in self.classes)))
        if self.sent_as is not None:
            conditions.append(model.partition.contains(f"#{self.sent_as}"))
        if self.licenses == frozenset({None}):
            conditions.append(~model.partition.startswith("L"))
        return reduce(and_, conditions)
