"""Which network addresses this installation may be sent to by somebody's URL.

A URL that a user gives (a webhook, say) must not turn the server into a way to reach what only the server can reach:
itself, its neighbours, the metadata service of a cloud. So an address is refused unless everybody can reach it, or the
installation's settings allow its network.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from tallystick.core.errors import ConfigurationError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""Protocol assignments and old relays: Python counts some of them as global, but no receiver lives there."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Private networks that may be reached all the same."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Networks":
        """Networks written one after another: `10.0.0.0/8, 192.168.7.20`.

        Raises:
            ConfigurationError: one of them is none.
        """
        try:
            return cls(tuple(ip_network(each) for each in text.replace(",", " ").split()))
        except ValueError as error:
            raise ConfigurationError(f"{error}; write networks as 10.0.0.0/8, 192.168.7.20") from None

    def allows(self, text: str) -> bool:
        """Whether the address is in one of the allowed networks."""
        address = _read(text)
        return address is not None and any(address in network for network in self.allowed)

    def permits(self, text: str) -> bool:
        """Whether the address may be connected to: it is public or allowed. What is no address is not."""
        return is_public(text) or self.allows(text)

    def __str__(self) -> str:
        """What `parse` reads."""
        return ", ".join(str(network) for network in self.allowed)


def is_public(text: str) -> bool:
    """Whether everybody can reach the address. What is no address is not public."""
    match _read(text):
        case IPv4Address() as address:
            special = any(address in network for network in _SPECIAL)
            return address.is_global and not address.is_multicast and not special
        case IPv6Address() as address:
            tunnel = address.sixtofour is not None or address.teredo is not None
            return address.is_global and address in _GLOBAL_UNICAST and not tunnel
        case _:
            return False


def _read(text: str) -> Address | None:
    """The address; of an IPv6 one that only stands for an IPv4 address, that one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
