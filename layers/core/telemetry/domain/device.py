"""Which texts name the same device (PROTOCOLS.md §1.6)."""

from telemetry.domain.ids import trimmed


def normalise_device(text: str) -> str:
    """The name that all spellings of a device share: `AABB-01` is `aabb-01`, `Example.com.` is `example.com`.

    Beyond that they are compared as any id (`trimmed`): in NFC, without what cannot be seen at their ends.

    Hardware ids and domains come under one name (`identifier`, `activation_identifier`), so one rule is for both. It is
    applied where a device's fingerprint is made, and nowhere else: devices are compared by fingerprint, in activations,
    checks, audiences and filters alike, and shown as they were sent.
    """
    name = trimmed(text)
    return trimmed(name.lower()).removesuffix(".") or name or text
