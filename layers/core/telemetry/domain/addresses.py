"""IP addresses and networks as people mean them: an IPv4 address stays one when it is written as IPv6."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED_BITS = 96
"""Bits of `::ffff:192.0.2.1` before the IPv4 address (RFC 4291, 2.5.5.2)."""


def address_of(text: str) -> Address | None:
    """The address; `::ffff:192.0.2.1` is 192.0.2.1. None for what is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return _mapped(address) or address


def network_of(text: str) -> Network:
    """The network, or an address as a network of one; `::ffff:192.0.2.0/120` is 192.0.2.0/24. Raises ValueError."""
    network = ip_network(text, strict=False)
    first = _mapped(network.network_address)
    if first is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((first, network.prefixlen - _MAPPED_BITS))


def _mapped(address: Address) -> IPv4Address | None:
    return address.ipv4_mapped if isinstance(address, IPv6Address) else None
