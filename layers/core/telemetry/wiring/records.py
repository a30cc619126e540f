"""The stores of records, for all functions that read or write them."""

from telemetry.domain.environment import Environment
from telemetry.settings import RecordSettings
from telemetry.storage.day_records import DayRecordStore
from telemetry.storage.records import RecordStore


class RecordStores:
    """Records of an environment: by key, and day by day."""

    settings: RecordSettings

    def records(self, environment: Environment) -> RecordStore:
        return RecordStore(self.settings.tables.records(environment), self.settings.shards)

    def day_records(self, environment: Environment) -> DayRecordStore:
        return DayRecordStore(self.records(environment))
