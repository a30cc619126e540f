"""The stores of records, for all functions that read or write them."""

from collections.abc import Mapping
from functools import cached_property

from telemetry.domain.environment import Environment
from telemetry.settings import RecordSettings
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.records import RecordStore


class RecordStores:
    """Records of an environment: by key, and day by day."""

    settings: RecordSettings

    def records(self, environment: Environment) -> RecordStore:
        """The same store each time: it remembers which partitions are marked."""
        return self._stores_of_records[environment]

    def day_records(self, environment: Environment) -> DayRecordStore:
        return DayRecordStore(self.records(environment))

    @cached_property
    def _stores_of_records(self) -> Mapping[Environment, RecordStore]:
        return {each: RecordStore(self.settings.tables.records(each), self.settings.shards) for each in Environment}
