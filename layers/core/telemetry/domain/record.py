"""The stored form of an event: its keys, and all that is stored with its bytes."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import NamedTuple

from telemetry.domain.event import Dialect, Event, Format
from telemetry.domain.flags import Flag
from telemetry.domain.instant import to_milliseconds
from telemetry.domain.judge import RULES_VERSION
from telemetry.domain.keyring import FINGERPRINT_VERSION, Identity, Keyring, Purpose
from telemetry.domain.keys import key_text
from telemetry.domain.product import LONGEST_PRODUCT_ID

SCHEMA_VERSION = 2
"""2: client text in keys is escaped, and chunks carry the digest of their body. 1 was never deployed."""

ANONYMOUS_BUCKETS = 64

LONGEST_VERSION = 64
"""Characters of a product version that are stored."""

_NO_TIME = 0
_LONGEST_EVENT_ID = 128
_LONGEST_LISTED = 32
_SIGNATURE_BYTES = 9


NO_ADDRESS = "-"
"""Of a use that tells no address, and whose caller was a server of the vendor."""


class RecordKey(NamedTuple):
    """The base key of a record: made from the event's content alone, so that a replay meets the same key.

    partition  `<subject>#<product id as sent>`, e.g. `L1Zm9vYmFyYmF6cXV4MTIzNA#acme-cli`; the subject's letter
               says licence, user, device or anonymous
    sort       `<event_at, epoch ms, 13 digits>#<event id>`, e.g. `1763713800123#evt-1`; of a conflict with `#` and the
               first half of the body's digest behind it

    Product and event id are as `key_text` has them, so that a key is never that of another event, and as `_bounded`
    has them, so that a key fits into 1,024 bytes however its texts are escaped.
    """

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record, complete. `evidence` says by which rules it was judged and what they saw.

    `data_type`, `group`, `count`, `address` and `company` are the event's, as the index lists them: texts by `listed`.
    """

    key: RecordKey
    raw: bytes
    digest: bytes
    dialect: Dialect
    product: str
    received_at: datetime
    expires_at: datetime
    user: bytes | None
    device: bytes | None
    product_version: str | None
    flags: frozenset[Flag]
    evidence: str
    api_key_id: str
    source_ip: str
    country: str | None = None
    format: Format = Format.JSON
    data_type: str | None = None
    group: str | None = None
    count: int | None = None
    address: str | None = None
    """Where the use was, if not at the caller's: an address, or NO_ADDRESS."""
    company: str | None = None
    id_from_client: bool = True
    is_judged: bool = True
    """False when the registry could not be read: nothing is said about the licence yet, and no user is billed."""
    damage: str | None = None
    """What of it cannot be read, e.g. `its body cannot be read: chunk 2 of 3 is missing`."""
    has_body: bool = True
    """False when the body cannot be read; `raw` is empty then."""

    @property
    def actor(self) -> bytes | None:
        """Who counts: the user, else the device, else nobody."""
        return self.user or self.device

    @property
    def use_address(self) -> str | None:
        """Where the use was; None where that is not known."""
        return address_of_use(self.address, self.source_ip)

    @property
    def day(self) -> date:
        """The UTC day of receipt: the only day that billing knows."""
        return self.received_at.astimezone(UTC).date()

    def names_any(self, fingerprints: Collection[bytes]) -> bool:
        """Whether one of these users and devices is its own."""
        return self.user in fingerprints or self.device in fingerprints

    def forgotten(self) -> "Record":
        """Without what it says of its user and device: neither its body, nor what the judge saw in it."""
        return replace(self, raw=b"", has_body=False, user=None, device=None, evidence=self.evidence.partition(";")[0])

    def with_flags(self, flags: frozenset[Flag]) -> "Record":
        """The same record with the flags it was stored with the first time."""
        return replace(self, flags=flags)

    def as_conflict(self) -> "Record":
        """The same record under a key of its own, for when its event id is taken by other content."""
        key = RecordKey(self.key.partition, f"{self.key.sort}#{_text(self.digest[:16])}")
        flags, evidence = self.flags | {Flag.EVENT_ID_CONFLICT}, self.evidence or str(RULES_VERSION)
        return replace(self, key=key, flags=flags, evidence=evidence)


def address_of_use(address: str | None, caller: str | None) -> str | None:
    """The address that a record's `address` stands for."""
    return None if address == NO_ADDRESS else address or caller


def listed(text: str | None) -> str | None:
    """A text that lists tell apart: as it is up to 32 bytes, a longer one by its hash, behind `~`."""
    encoded = text.encode() if text else b""
    if not text or (len(encoded) <= _LONGEST_LISTED and not text.startswith("~")):
        return text or None
    return f"~{_text(sha256(encoded).digest()[:16])}"


def stored_version(text: str | None) -> str | None:
    """A product version as records store it, and as it is looked for."""
    return text and text[:LONGEST_VERSION]


def server_event_id(received_at: datetime, randomness: bytes) -> str:
    """A UUIDv7 (RFC 9562) in 32 hex digits, for events that bring no id. `randomness` is 10 bytes."""
    value = to_milliseconds(received_at) << 80 | int.from_bytes(randomness, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def record_key(event: Event, fallback_id: str, received_at: datetime, keyring: Keyring) -> RecordKey:
    """The key of an event. `fallback_id` is used when the event brings no id.

    Without an event id a key need not repeat, so time of receipt stands in for a missing time and keeps a subject's
    records in order.
    """
    event_id = _part(event.event_id or fallback_id, _LONGEST_EVENT_ID)
    product = product_named(event.product_id or "")
    time = event.event_at
    if time is None:
        time = _NO_TIME if event.event_id else to_milliseconds(received_at)
    return RecordKey(f"{_subject(event, event_id, keyring)}#{product}", f"{time:013d}#{event_id}")


def license_partition(license_key: str, product_id: str, keyring: Keyring) -> str:
    """Where the records of a licence are that were sent under this product id (`""`: under none)."""
    return partition_with(license_named(keyring.fingerprint(Identity.LICENSE, license_key)), product_id)


def license_named(fingerprint: bytes) -> str:
    """What `license_in` finds in the partitions of the licence with this fingerprint."""
    return f"{FINGERPRINT_VERSION}{_text(fingerprint)}"


def fingerprint_named(license_: str) -> bytes | None:
    """The fingerprint of the licence that `license_in` finds under this name; None of a name of another version."""
    version, text = license_[: len(FINGERPRINT_VERSION)], license_[len(FINGERPRINT_VERSION) :]
    try:
        return urlsafe_b64decode(f"{text}==") if version == FINGERPRINT_VERSION else None
    except ValueError:
        return None


def license_in(partition: str) -> str | None:
    """The licence's fingerprint as a record's partition carries it (`1Zm9vYmFyYmF6cXV4MTIzNA`); None without one."""
    return partition[1:].partition("#")[0] if partition.startswith("L") else None


def partition_with(license_: str, product_id: str) -> str:
    """Where the records are of a licence as `license_in` names it, sent under this product id (`""`: under none)."""
    return f"L{license_}#{product_named(product_id)}"


def product_named(product_id: str) -> str:
    """What `product_in` finds in the partitions of what was sent under this product id."""
    return _part(product_id, LONGEST_PRODUCT_ID)


def product_in(partition: str) -> str:
    """The product id as a record's partition carries it (`acme-cli`); `""` where none was sent."""
    return partition.partition("#")[2]


def chunk_keys(key: RecordKey, received_ms: int, digest: bytes, count: int) -> list[RecordKey]:
    """Where the chunks of a record's body are, in order; `received_ms` is its time of receipt in epoch milliseconds.

    partition  `C<partition of the record>`
    sort       `<sort of the record>#<received, epoch ms>#<digest of the body>#<number, 4 digits>`, e.g.
               `1763713800123#evt-1#1763713800456#47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU#0000`

    The digest makes sure that a chunk that is there already is the same chunk, of this event or of its repetition.
    """
    prefix = f"{key.sort}#{received_ms}#{_text(digest)}"
    return [RecordKey(f"C{key.partition}", f"{prefix}#{number:04d}") for number in range(count)]


def judgement_key(key: RecordKey) -> RecordKey:
    """Where is what was said later of a record that was stored unjudged: `JL1Zm9v…#acme-cli`, sort as the record's."""
    return RecordKey(f"J{key.partition}", key.sort)


def telemetry_id(key: RecordKey, environment: str, keyring: Keyring) -> str:
    """The id clients are given: the key itself, opaque and signed, valid in its environment only."""
    partition, sort = key.partition.encode(), key.sort.encode()
    payload = len(partition).to_bytes(2, "big") + partition + sort
    return _text(_sign(payload, environment, keyring) + payload)


def read_telemetry_id(text: str, environment: str, keyring: Keyring) -> RecordKey | None:
    """The inverse of `telemetry_id`; None for what this deployment never issued in this environment."""
    try:
        token = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature, payload = token[:_SIGNATURE_BYTES], token[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _sign(payload, environment, keyring)):
            return None
        length = int.from_bytes(payload[:2], "big")
        return RecordKey(payload[2 : 2 + length].decode(), payload[2 + length :].decode())
    except ValueError:
        return None


def _sign(payload: bytes, environment: str, keyring: Keyring) -> bytes:
    return keyring.mac(Purpose.TELEMETRY_IDS, environment.encode() + b"\0" + payload)[:_SIGNATURE_BYTES]


def _subject(event: Event, event_id: str, keyring: Keyring) -> str:
    for letter, identity, value in (
        ("L", Identity.LICENSE, event.license_key),
        ("U", Identity.USER, event.counted_user),
        ("D", Identity.DEVICE, event.counted_device),
    ):
        if value:
            return f"{letter}{FINGERPRINT_VERSION}{_text(keyring.fingerprint(identity, value))}"
    return f"A{FINGERPRINT_VERSION}{sha256(event_id.encode()).digest()[0] % ANONYMOUS_BUCKETS:02d}"


def _part(text: str, limit: int) -> str:
    return key_text(_bounded(text, limit))


def _bounded(text: str, limit: int) -> str:
    """Texts too long for a key are named by their hash; `~` keeps these apart from texts that are short."""
    encoded = text.encode()
    return text if len(encoded) <= limit and not text.startswith("~") else f"~{_text(sha256(encoded).digest())}"


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
