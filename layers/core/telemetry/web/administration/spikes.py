"""Spikes: acknowledged, muted."""

from datetime import datetime
from typing import Annotated, Self
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from telemetry.domain.environment import Environment
from telemetry.domain.errors import NotFound
from telemetry.domain.spike_handling import Handling, MuteFor
from telemetry.web.administration.models import Input, Output
from telemetry.web.administration.routing import AdminRouter, IfMatch, InEnvironment, ThisCall, one
from telemetry.web.etags import version_of

router = AdminRouter()

SpikeInPath = Annotated[str, Path(max_length=2_000, description="As the list of alerts calls it, percent-encoded")]


LONGEST_ID = 1_000
"""Bytes: no spike has a longer one, nor may a sort key."""


class Muting(Input):
    """How long a spike is muted."""

    time: MuteFor = Field(description="`episode`: until it ends")


class SpikeHandling(Output):
    """What staff said of a spike: who, by the name of the key, and when. `muted_until` is null: until it ends."""

    environment: Environment
    id: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    muted_by: str | None
    muted_at: datetime | None
    muted_until: datetime | None

    @classmethod
    def of(cls, environment: Environment, said: Handling) -> Self:
        return cls(
            environment=environment,
            id=said.episode,
            acknowledged_by=said.acknowledged.key_name if said.acknowledged else None,
            acknowledged_at=said.acknowledged.at if said.acknowledged else None,
            muted_by=said.muted.key_name if said.muted else None,
            muted_at=said.muted.at if said.muted else None,
            muted_until=said.muted_until,
        )


@router.admin("POST", "/spikes/<spike_id>/acknowledge")
def acknowledge_spike(
    call: ThisCall, environment: InEnvironment, spike_id: SpikeInPath, if_match: IfMatch = None
) -> Response[SpikeHandling]:
    """Notes that somebody has seen a spike. Who was first stays."""
    spikes = call.backend.spikes(environment)
    return _shown(environment, spikes.acknowledge(call.staff, _episode(spike_id), version_of(if_match)))


@router.admin("POST", "/spikes/<spike_id>/mute")
def mute_spike(
    call: ThisCall, environment: InEnvironment, spike_id: SpikeInPath, body: Muting, if_match: IfMatch = None
) -> Response[SpikeHandling]:
    """Shows a spike less for a time. It goes on being counted, and another one of the product is told as usual."""
    spikes = call.backend.spikes(environment)
    return _shown(environment, spikes.mute(call.staff, _episode(spike_id), version_of(if_match), body.time))


@router.admin("POST", "/spikes/<spike_id>/unmute")
def unmute_spike(
    call: ThisCall, environment: InEnvironment, spike_id: SpikeInPath, if_match: IfMatch = None
) -> Response[SpikeHandling]:
    """Shows a spike again."""
    spikes = call.backend.spikes(environment)
    return _shown(environment, spikes.unmute(call.staff, _episode(spike_id), version_of(if_match)))


def _shown(environment: Environment, said: Handling) -> Response[SpikeHandling]:
    return one(SpikeHandling.of(environment, said), said.version)


def _episode(spike_id: str) -> str:
    episode = unquote(spike_id)
    if len(episode.encode()) > LONGEST_ID:
        raise NotFound("spike of this id")
    return episode
