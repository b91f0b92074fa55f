"""docs/benchmarks.md: the text around the results is written by hand, the results are put in their places.

A place begins with `<!-- results: NAME -->` and ends with `<!-- end -->`.
"""

import re
from pathlib import Path

from benchmarks.results import Result, as_markdown

PATH = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def put(result: Result, machine: str, path: Path = PATH) -> None:
    """Replace the results of this name.

    Raises:
        LookupError: the document has no place for them.
    """
    text = path.read_text()
    begin = f"<!-- results: {result.name} -->"
    place = re.compile(f"{re.escape(begin)}.*?<!-- end -->", re.DOTALL)
    if not place.search(text):
        raise LookupError(f"{path} has no {begin}")
    content = f"{begin}\n{as_markdown(result)}\n\n{machine}\n<!-- end -->"
    path.write_text(place.sub(lambda _: content, text))
