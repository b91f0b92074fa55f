"""Which addresses somebody's URL may lead to."""

import pytest

from tallystick.core.errors import ConfigurationError
from tallystick.core.networks import Networks, is_public

PRIVATE = """
    127.0.0.1 127.8.8.8 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.8 198.18.0.1
    192.0.2.1 224.0.0.1 240.0.0.1 255.255.255.255 192.88.99.1
    :: ::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::7f00:1 fe80::1 fe80::1%eth0 fd00::1 fec0::1 ff02::1 ff0e::1
    64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001:db8::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
    100::1 5f00::1
""".split()
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", [*PRIVATE, "", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3.4:80"])
def test_what_not_everybody_can_reach_is_refused(address):
    assert not is_public(address)
    assert not Networks().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_everybody_can_reach_is_allowed(address):
    assert Networks().permits(address)
    assert not Networks().allows(address)


def test_a_network_that_is_allowed_is_allowed_however_its_addresses_are_written():
    networks = Networks.parse("10.0.0.0/8, fd12::/16 192.168.7.20")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::5", "192.168.7.20"):
        assert networks.permits(address)
    for address in ("11.0.0.1.", "192.168.7.21", "fd13::5", "127.0.0.1", "169.254.169.254"):
        assert not networks.permits(address)
    assert Networks.parse(str(networks)) == networks


@pytest.mark.parametrize("text", ["10.0.0.1/8", "everything", "10.0.0.0/33"])
def test_what_is_no_network_is_said(text):
    with pytest.raises(ConfigurationError, match=r"write networks as 10\.0\.0\.0/8"):
        Networks.parse(text)
