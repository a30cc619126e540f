"""How a body lies in the table: deflated when that makes it smaller, because a record above 1 KB costs more.

A stored body is one byte that names the encoding, then the encoded bytes. Encodings are never changed, only added:
records outlive the code that wrote them.
"""

import zlib

_VERBATIM = 0
_DEFLATE_1 = 1
_LARGEST_RATIO = 1_033
"""By which deflate makes bytes fewer, at most."""

# What bodies of both dialects have in common. The most frequent texts stand last, where deflate reaches them cheaply.
_DICTIONARY_1 = (
    b'"tampering_detected":true,"debugger_detected":false,"numeric_data_x":"numeric_data_y":"text_data":"numeric-xy-axis'
    b'"memory_mb":"cpu_count":"architecture":"arm64""x86_64""language":"en-US""timezone":"UTC""locale":"session_id":"'
    b'"os":"linux""windows""macos""os_version":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) (X11; Linux x86_64) '
    b"(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
    b'"{"payload":{"activity_type":"CALL_HOME","source":"PRODUCT_CLOUD","TELEMETRY","environment":"PRODUCTION",'
    b'"user_id":"@example.com","user_id_type":"EMAIL","USERNAME","ANONYMOUS","ip_addr":"192.168.","event_id":17'
    b'"event_at":17,"product_id":"","user_agent":"","meta":{"version":"}}'
    b'{"data_type":"numeric-single-value","text","data_group":"","numeric_data_single_value":1,"api_key":"*****************'
    b'********************","license_key":"","activation_identifier":"","hwid":"","user_identifier":"","product_id":"",'
    b'"product_version":"","country":"US","metadata":{"},"flags":[],"event_id":"","event_at":"2026-'
)


class UnreadableBody(ValueError):
    """What is stored of a body is not what was written; the message goes on after `its body cannot be read: `."""


def encode_body(body: bytes) -> bytes:
    """The stored form of a body of any size."""
    deflater = zlib.compressobj(level=6, wbits=-15, zdict=_DICTIONARY_1)
    deflated = deflater.compress(body) + deflater.flush()
    return bytes([_DEFLATE_1]) + deflated if len(deflated) < len(body) else bytes([_VERBATIM]) + body


def decode_body(stored: bytes) -> bytes:
    """The body as it was delivered. Raises UnreadableBody on what `encode_body` did not make."""
    match stored[:1]:
        case b"\0":
            return stored[1:]
        case b"\1":
            return _inflated(stored[1:])
        case encoding:
            raise UnreadableBody(f"its encoding {encoding.hex() or '(none)'} is unknown")


def is_longer(stored: bytes, most: int) -> bool:
    """Whether a body has more bytes than this, found without making it whole."""
    if stored[:1] != bytes([_DEFLATE_1]):
        return len(stored) - 1 > most
    if len(stored) * _LARGEST_RATIO <= most:
        return False
    try:
        return len(_inflater().decompress(stored[1:], most + 1)) > most
    except zlib.error:
        return False


def _inflater() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=-15, zdict=_DICTIONARY_1)


def _inflated(deflated: bytes) -> bytes:
    inflater = _inflater()
    try:
        body = inflater.decompress(deflated) + inflater.flush()
    except zlib.error as exc:
        raise UnreadableBody("it cannot be inflated") from exc
    if not inflater.eof or inflater.unused_data:
        raise UnreadableBody("it does not end where it should")
    return body
