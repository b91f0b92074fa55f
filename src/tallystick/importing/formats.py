"""Which layout a file has: by what its name ends with, else by how its content begins."""

from pathlib import PurePath

from tallystick.core.errors import InvalidInput
from tallystick.importing.access_log import is_access_log_line
from tallystick.importing.delimited import looks_delimited
from tallystick.importing.models import Format
from tallystick.importing.stream import Content

PARQUET_MAGIC = b"PAR1"

_EXTENSIONS = {
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".json": Format.NDJSON,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".tab": Format.CSV,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


def detect(stream: Content) -> Format:
    """The layout of the file.

    Raises:
        InvalidInput: neither name nor content tells.
    """
    by_name = _EXTENSIONS.get(PurePath(bare_name(stream.name)).suffix.lower())
    if by_name is not None:
        return by_name
    by_content = _by_content(stream.head)
    if by_content is None:
        raise InvalidInput(
            f"{stream.name}: neither its name nor its first line tells the layout; "
            "give --format ndjson, csv, parquet or access-log",
            field="format",
        )
    return by_content


def bare_name(path: str) -> str:
    """The file's name without its folder and without `.gz`."""
    name = PurePath(path).name
    return name[:-3] if name.lower().endswith(".gz") and len(name) > 3 else name


def _by_content(head: bytes) -> Format | None:
    if head.startswith(PARQUET_MAGIC):
        return Format.PARQUET
    text = head.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").lstrip()
    first_line = text.partition("\n")[0].rstrip("\r")
    if text[:1] in ("{", "["):
        return Format.NDJSON
    if is_access_log_line(first_line):
        return Format.ACCESS_LOG
    if not first_line or looks_delimited(first_line):
        return Format.CSV
    return None
