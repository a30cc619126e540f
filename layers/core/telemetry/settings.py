"""Environment variables, read once into one frozen object per function."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import environ
from typing import NamedTuple, Self

from telemetry.domain.environment import Environment
from telemetry.domain.errors import ConfigurationError
from telemetry.domain.shards import ShardPlan


def _required(env: Mapping[str, str], name: str) -> str:
    try:
        return env[name]
    except KeyError as exc:
        raise ConfigurationError(f"Missing environment variable: {name}") from exc


def is_on_lambda(env: Mapping[str, str] = environ) -> bool:
    """Whether a Lambda runtime loads this code, or who behaves as one."""
    return "AWS_LAMBDA_FUNCTION_NAME" in env


class TableNames(NamedTuple):
    """The tables of one deployment."""

    prefix: str

    @property
    def registry(self) -> str:
        return f"{self.prefix}-registry"

    def records(self, environment: Environment) -> str:
        return f"{self.prefix}-records-{environment}"

    def aggregates(self, environment: Environment) -> str:
        return f"{self.prefix}-aggregates-{environment}"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, the stack's name."""
        return cls(_required(env, "TABLE_PREFIX"))


@dataclass(frozen=True, slots=True)
class Settings:
    """What every function is told."""

    tables: TableNames

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX."""
        return cls(TableNames.from_env(env))


@dataclass(frozen=True, slots=True)
class RecordSettings(Settings):
    """What a function is told that reads records."""

    shards: ShardPlan

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, RECORD_SHARDS."""
        return cls(TableNames.from_env(env), ShardPlan.parse(_required(env, "RECORD_SHARDS")))


@dataclass(frozen=True, slots=True)
class RetentionSettings(RecordSettings):
    """What a function is told that also knows how long records are kept."""

    retention_days: int
    """Of environments whose retention nobody has set."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, RECORD_SHARDS, RETENTION_DAYS."""
        shards = ShardPlan.parse(_required(env, "RECORD_SHARDS"))
        return cls(TableNames.from_env(env), shards, int(_required(env, "RETENTION_DAYS")))


@dataclass(frozen=True, slots=True)
class IngestSettings(RetentionSettings):
    """What the ingest function is told."""

    license_cache_seconds: int

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, RECORD_SHARDS, RETENTION_DAYS, LICENSE_CACHE_SECONDS."""
        return cls(
            tables=TableNames.from_env(env),
            shards=ShardPlan.parse(_required(env, "RECORD_SHARDS")),
            retention_days=int(_required(env, "RETENTION_DAYS")),
            license_cache_seconds=int(_required(env, "LICENSE_CACHE_SECONDS")),
        )


@dataclass(frozen=True, slots=True)
class AnalyticsSettings(RetentionSettings):
    """What the analytics function is told."""

    network_file: str | None
    """`s3://bucket/key`, or a path on this machine; None where there is none."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, RECORD_SHARDS, RETENTION_DAYS, and NETWORK_FILE if it is set."""
        kept = RetentionSettings.from_env(env)
        return cls(kept.tables, kept.shards, kept.retention_days, env.get("NETWORK_FILE") or None)


@dataclass(frozen=True, slots=True)
class CloseUsageSettings(RecordSettings):
    """What the close_usage function is told."""

    network_file: str | None
    """`s3://bucket/key`, or a path on this machine; None where there is none."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, RECORD_SHARDS, and NETWORK_FILE if it is set."""
        told = RecordSettings.from_env(env)
        return cls(told.tables, told.shards, env.get("NETWORK_FILE") or None)


@dataclass(frozen=True, slots=True)
class RollupSettings(Settings):
    """What the rollup function is told."""

    failure_queue: str
    alert_topic: str
    network_file: str | None
    """`s3://bucket/key`, or a path on this machine; None where there is none."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = environ) -> Self:
        """Reads TABLE_PREFIX, FAILURE_QUEUE_URL, ALERT_TOPIC_ARN, and NETWORK_FILE if it is set."""
        return cls(
            tables=TableNames.from_env(env),
            failure_queue=_required(env, "FAILURE_QUEUE_URL"),
            alert_topic=_required(env, "ALERT_TOPIC_ARN"),
            network_file=env.get("NETWORK_FILE") or None,
        )
