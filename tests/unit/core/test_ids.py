"""Identities stay what they are: an event that is stored today has to be known when it is sent again in ten years."""

from hashlib import blake2b
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.ids import event_id


def test_an_identity_is_the_same_for_ever():
    assert event_id("acme", "order-1") == UUID("0e46b106-bca0-43f2-29ff-1f705524b189")
    assert event_id("é", "ß", 2) == UUID("0e7b85d5-62d0-3497-88e5-249784944023")


@given(team=st.text(), key=st.text(), amendment=st.integers(0, 9))
def test_an_identity_is_the_hash_of_the_team_s_length_the_team_and_the_key(team: str, key: str, amendment: int):
    encoded = team.encode()
    seed = b"%d:%b%b" % (len(encoded), encoded, key.encode())
    suffix = b"\x00amendment:%d" % amendment if amendment else b""
    assert event_id(team, key, amendment) == UUID(bytes=blake2b(seed + suffix, digest_size=16).digest())
