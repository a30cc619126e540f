"""Which texts are the same id of a user or a device (docs/protocols.md)."""

from unicodedata import normalize

LONGEST_NORMALISED = 1_024
"""Characters. Sorting combining marks takes time that grows with the square of their number."""

_INVISIBLE = "".join(
    chr(code)
    for first, last in (
        (0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x034F, 0x034F), (0x0600, 0x0605), (0x061C, 0x061C),
        (0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x115F, 0x1160), (0x1680, 0x1680),
        (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800), (0x3000, 0x3000),
        (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x110BD, 0x110BD), (0x110CD, 0x110CD),
        (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0001, 0xE0001), (0xE0020, 0xE007F),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""Unicode 15.1's categories Cc, Cf, Zs, Zl and Zp, written down because each Python has another Unicode; and the blanks
of Hangul and Braille and the grapheme joiner, which cannot be seen either."""


def trimmed(text: str) -> str:
    """The id in NFC, without invisible characters at both ends; inside they stay. Empty if nothing else is in it.

    An id longer than LONGEST_NORMALISED is trimmed only, and not put into NFC.
    """
    shown = text.strip(_INVISIBLE)
    return normalize("NFC", shown) if len(shown) <= LONGEST_NORMALISED else shown


def normalise_device(text: str) -> str:
    """The name that all spellings of a device share: `AABB-01` is `aabb-01`, `Example.com.` is `example.com`.

    Beyond that they are compared as any id (`trimmed`): in NFC, without what cannot be seen at their ends.

    Hardware ids and domains come under one name (`identifier`, `activation_identifier`), so one rule is for both. It is
    applied where a device's fingerprint is made, and nowhere else: devices are compared by fingerprint, in activations,
    checks, audiences and filters alike, and shown as they were sent.
    """
    name = trimmed(text)
    return trimmed(name.lower()).removesuffix(".") or name or text
