"""Requests made up from the OpenAPI document, right and wrong ones, to a real server: never a 500, never a hang."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.test_server import Served, serving

PATIENCE = 120
DOCUMENTED = ("/api/usage/track", "/api/usage/dead-letters", "/api/usage/unvalued", "/api/usage/events")
"""Where besides, every answer has to be as the document says."""
CONFORMANCE = [status_code_conformance, content_type_conformance, response_schema_conformance]
NOTHING_WRONG = {
    schemathesis.GenerationMode.POSITIVE: (),
    schemathesis.GenerationMode.NEGATIVE: (Unsatisfiable,),  # what takes almost nothing can hardly be asked wrongly
}
LEFT_OUT = ("/health", "/health/ready", "/api/live")
"""The first take nothing that could be wrong; the last does not end."""


@pytest.fixture
def served(database_url: str) -> Iterator[Served]:
    with serving(database_url, "--dev", TALLYSTICK_AUTO_REGISTER_TEAMS="true") as served:
        yield served


class Findings:
    """What went wrong, and how often."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.wrong: Counter[str] = Counter()

    def look_at(self, case: schemathesis.Case, response: Response) -> None:
        """Judge one answer."""
        self.answers[response.status_code] += 1
        if response.status_code >= 500:
            self.wrong[f"{response.status_code} {response.text[:200]}: {case.as_curl_command()[:1000]}"] += 1
        elif case.operation.path.startswith(DOCUMENTED):
            try:
                case.validate_response(response, checks=CONFORMANCE)
            except (FailureGroup, Failure) as failure:
                self.wrong[f"{case.operation.label}: {failure}: {case.as_curl_command()[:1000]}"] += 1


@pytest.mark.filterwarnings("ignore")  # the tool's own
@pytest.mark.parametrize("number", [4, pytest.param(300, marks=pytest.mark.soak)])
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=str)
def test_no_request_makes_the_server_fail(served: Served, mode: schemathesis.GenerationMode, number: int) -> None:
    findings = Findings()
    for result in schemathesis.openapi.from_url(served.url + "/openapi.json").get_all_operations():
        assert isinstance(result, Ok), "the document describes an operation that can't be"
        operation = result.ok()
        if operation.path not in LEFT_OUT:
            with suppress(*NOTHING_WRONG[mode]):
                _try(operation.as_strategy(generation_mode=mode), findings, number)
    print(dict(findings.answers))
    assert list(findings.wrong) == []
    assert served.get("/health/ready").status_code == 200
    assert served.process.poll() is None


def _try(strategy: SearchStrategy[schemathesis.Case], findings: Findings, number: int) -> None:
    @examples(
        max_examples=number,
        derandomize=number < 100,  # a test that everybody runs finds the same every time
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=strategy)
    def send(case: schemathesis.Case) -> None:
        findings.look_at(case, case.call(timeout=PATIENCE))

    send()
