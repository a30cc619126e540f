"""The store of records, for all functions that read or write them."""

from telemetry.domain.environment import Environment
from telemetry.settings import RecordSettings
from telemetry.storage.records import RecordStore


class RecordStores:
    """One store for each environment."""

    settings: RecordSettings

    def records(self, environment: Environment) -> RecordStore:
        return RecordStore(self.settings.tables.records(environment), self.settings.shards)
