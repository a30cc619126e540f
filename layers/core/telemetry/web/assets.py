"""Files of the page as they were built: compressed, with ETags of their content."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from telemetry.domain.errors import ConfigurationError
from telemetry.web.http import Request

FOREVER = "public, max-age=31536000, immutable"
"""For files whose name contains their hash."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: `compressed` is gzip; `etag` is weak, because it stands for both encodings."""

    content_type: str
    compressed: bytes
    etag: str


class _Bytes(Response[bytes]):
    """A body that is sent as it is; the resolver would write JSON anew."""

    def is_json(self) -> bool:
        return False


def load_assets(folder: Path) -> Mapping[str, Asset]:
    """All `*.gz` of a folder, by their names without it. Raises ConfigurationError when there are none."""
    assets = {path.stem: _asset(path) for path in folder.glob("*.gz")}
    if not assets:
        raise ConfigurationError("The page has not been built: run make page")
    return assets


def asset_answer(asset: Asset, request: Request, cache_control: str) -> Response[bytes]:
    """The file, or 304 for a client that has it already."""
    headers = {"Cache-Control": cache_control, "ETag": asset.etag, "Vary": "Accept-Encoding", **SECURITY_HEADERS}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {asset.etag, asset.etag.removeprefix("W/"), "*"}:
        return _Bytes(304, asset.content_type, b"", headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return _Bytes(200, asset.content_type, asset.compressed, headers | {"Content-Encoding": "gzip"})
    return _Bytes(200, asset.content_type, gzip.decompress(asset.compressed), headers)


def _asset(path: Path) -> Asset:
    compressed = path.read_bytes()
    media_type = guess_type(path.stem)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return Asset(media_type + charset, compressed, f'W/"{sha256(compressed).hexdigest()[:32]}"')
