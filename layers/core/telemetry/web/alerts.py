"""Alerts: what is asked of spikes, and what is told (docs/analytics.md)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from telemetry.domain.spike_handling import Said
from telemetry.domain.spikes import Cause
from telemetry.services.license_watch import Holder, limit_of
from telemetry.services.spike_alerts import AlertFilter, SpikeAlert
from telemetry.services.spike_evidence import Evidence, FlaggedLicense
from telemetry.web import analytics_answers as answers
from telemetry.web.analytics import ScopeQuery, customer_of, flags_by_name
from telemetry.web.records import instant


class State(StrEnum):
    """The states of alerts. `current`: those that are open, and those of the window."""

    OPEN = "open"
    CURRENT = "current"
    ALL = "all"


class AlertQuery(ScopeQuery):
    """Which alerts."""

    state: State = State.OPEN

    def wanted(self, now: datetime) -> AlertFilter:
        """As the service takes it. Without a time, all alerts are wanted whenever they were, if not only open ones."""
        if self.state is State.OPEN:
            return AlertFilter(is_open=True, product=self.product)
        if self.state is State.CURRENT:
            return AlertFilter(product=self.product, window=self.window(now), or_open=True)
        any_time = self.range is None and self.first is None and self.last is None
        return AlertFilter(product=self.product, window=None if any_time else self.window(now))


def alerts_body(found: Iterable[SpikeAlert], now: datetime) -> answers.Spikes:
    """Spikes. `opened_at` and `last_seen` are the beginnings of hours."""
    return {"items": [_alert(each, now) for each in found]}


def _alert(alert: SpikeAlert, now: datetime) -> answers.Spike:
    episode, spike, closed_at = alert.episode, alert.episode.opened, alert.episode.closed_at(now)
    muted = alert.handling.muted if closed_at is None and alert.handling.is_muted(now) else None
    until = alert.handling.muted_until
    return {
        "id": episode.id,
        "product": spike.product,
        "opened_at": instant(spike.hour),
        "last_seen": instant(episode.last_seen),
        "closed_at": instant(closed_at) if closed_at else None,
        "cause": spike.cause,
        "evidence": _evidence_of_key(alert) if spike.cause is Cause.API_KEY else _evidence_of_flags(alert),
        "so_far": _so_far(alert.evidence, alert.holders, now) if alert.evidence else None,
        "acknowledged": _said(alert.handling.acknowledged) if alert.handling.acknowledged else None,
        "muted": {**_said(muted), "until": instant(until) if until else None} if muted else None,
    }


def _so_far(found: Evidence, holders: Mapping[str, Holder], now: datetime) -> answers.SpikeSoFar:
    return {
        "first_day": found.first.isoformat(),
        "last_day": found.last.isoformat(),
        "days": (found.last - found.first).days + 1,
        "records": found.records,
        "licenses": [_spike_license(each, holders[each.license], now) for each in found.licenses],
    }


def _spike_license(flagged: FlaggedLicense, holder: Holder, now: datetime) -> answers.SpikeLicense:
    return {
        **_license_name(flagged.license, holder),
        "customer": customer_of(holder),
        "state": holder.license.state_at(now) if holder.license else None,
        "limit": limit_of(holder.license),
        "flagged": flagged.records,
        "devices": flagged.devices,
        "devices_at_least": flagged.is_least,
    }


def _license_name(fingerprint: str, holder: Holder) -> answers.LicenseName:
    license_id = holder.license.id if holder.license else None
    return {"fingerprint": fingerprint, "license_id": license_id, "last4": holder.last_four}


def _said(said: Said) -> answers.SpikeSaid:
    return {"key_id": said.key_id, "key_name": said.key_name, "at": instant(said.at)}


def _evidence_of_flags(alert: SpikeAlert) -> answers.FlaggedEvidence:
    spike = alert.episode.opened
    evidence: answers.FlaggedEvidence = {"flagged": spike.count, "most_expected": spike.expected}
    if spike.flags:
        evidence["flags"] = flags_by_name(spike.flags)
    if spike.license:
        evidence["license"] = _license_name(spike.license, alert.holders[spike.license])
    return evidence


def _evidence_of_key(alert: SpikeAlert) -> answers.KeyEvidence:
    spike, key = alert.episode.opened, alert.api_key
    return {
        "events": spike.count,
        "most_expected": spike.expected,
        "api_key": {
            "id": spike.api_key_id or "",
            "name": key.name if key else None,
            "last4": key.last_four if key else None,
        },
    }
