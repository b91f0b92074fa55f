import re
from datetime import UTC, datetime

import pytest

from tallystick.http.keys.models import (
    ApiKey,
    NewApiKey,
    StoredKey,
    hash_secret,
    is_key_id,
    new_token,
    read_token,
    write_token,
)
from tallystick.http.principal import Scope

KEY = ApiKey("7Q2M4KX0TB", "gateway", (Scope.READ,), None, datetime(2026, 3, 15, tzinfo=UTC))


def test_a_token_is_its_id_and_its_secret():
    key_id, secret = new_token()
    token = write_token(key_id, secret)
    assert re.fullmatch(r"tsk_[0-9A-Z]{10}_[0-9A-Z]{32}", token)
    assert read_token(token) == (key_id, secret)
    assert is_key_id(key_id)


def test_no_two_tokens_are_alike():
    assert len({new_token() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tsk_",
        "sk_live_1234",
        "tsk_7Q2M4KX0TB_short",
        write_token("7Q2M4KX0TB", "A" * 33),
        write_token("7Q2M4KX0TB", "A" * 31 + "ü"),
        write_token("7Q2M4KX0TB", "a" * 32),
        write_token("7Q2M4KX0TB", "A" * 32) + "\n",
        " " + write_token("7Q2M4KX0TB", "A" * 32),
    ],
)
def test_other_texts_are_no_tokens(text):
    assert read_token(text) is None


@pytest.mark.parametrize("text", ["", "7Q2M4KX0T", "7q2m4kx0tb", "7Q2M4KX0T\0", "7Q2M4KX0TBB", "ÄÄÄÄÄÄÄÄÄÄ"])
def test_other_texts_are_no_ids(text):
    assert not is_key_id(text)


def test_only_a_hash_of_the_secret_is_kept():
    stored = StoredKey(KEY, hash_secret("A" * 32))
    assert len(stored.secret_hash) == 32
    assert b"A" * 32 not in stored.secret_hash


def test_secrets_stay_out_of_logs_and_tracebacks():
    new = NewApiKey(KEY, write_token(KEY.id, "A" * 32))
    assert "AAAA" not in repr(new)
    assert "AAAA" not in f"{new}"
