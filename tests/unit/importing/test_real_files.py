"""Real logs and traces give the totals that are known of them."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.importing.files import events, total

TRACE = "azure_llm_2023/AzureLLMInferenceTrace_conv.csv"
LOG = "elastic_examples/apache_access.log"


def test_the_access_log_has_its_lines_and_bytes(shared_data: Path):
    found = events(shared_data / LOG, team="acme", quantity_column="bytes")
    assert len(found) == len({event["idempotency_key"] for event in found}) == 10_000
    assert total(found) == 2_747_282_740
    assert sum(event["metadata"]["status"] == 200 for event in found) == 9126


def test_the_access_log_by_content_is_nineteen_lines_shorter(shared_data: Path):
    found = events(shared_data / LOG, team="acme", identity="content")
    assert len({event["idempotency_key"] for event in found}) == 9_981


def test_the_llm_trace_gives_its_tokens(shared_data: Path):
    several = {"llm_input": "ContextTokens", "llm_output": "GeneratedTokens"}
    found = events(shared_data / TRACE, team="acme", timestamp_column="TIMESTAMP", quantities=several)
    assert len(found) == len({event["idempotency_key"] for event in found}) == 2 * 19_366
    assert total(found, "llm_input") == 22_361_870
    assert total(found, "llm_output") == 4_088_665
    assert {type(event["quantity"]) for event in found} == {Decimal}


@pytest.mark.parametrize("identity", ["position", "content"])
def test_the_llm_trace_as_one_event_a_row_has_both_columns_as_metadata(shared_data: Path, identity: str):
    found = events(shared_data / TRACE, team="acme", event="llm", timestamp_column="TIMESTAMP", identity=identity)
    assert len({event["idempotency_key"] for event in found}) == 19_366
    assert sum(event["metadata"]["ContextTokens"] for event in found) == 22_361_870
    assert sum(event["metadata"]["GeneratedTokens"] for event in found) == 4_088_665
    assert found[0]["timestamp"].isoformat() == "2023-11-16T18:15:46.680590+00:00"


def test_the_conversation_trace_is_read_with_its_times_in_milliseconds(shared_data: Path):
    found = events(
        shared_data / "mooncake_fast25/conversation_trace.jsonl",
        team="acme",
        event="conversation",
        timestamp_column="timestamp",
        timestamp_format="epoch-ms",
        quantity_column="input_length",
    )
    assert len(found) == 12_031
    assert total(found) == 144_793_823
