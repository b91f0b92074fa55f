"""Importing: usage files (NDJSON, CSV, Parquet, access logs) → events in the shape of the track route.

`open_source(path, options)` settles layout and mapping, and iterating it gives one `Row` per event, or the
reason why there is none. Every event carries an idempotency key, so importing a file again counts nothing
twice. Numbers are exact throughout.
"""

from tallystick.importing.identity import refuse_shared_sources
from tallystick.importing.models import (
    Format,
    Identity,
    ImportOptions,
    Row,
    RowProblem,
    option_help,
    option_name,
    parse_quantities,
)
from tallystick.importing.source import Source, open_source

__all__ = [
    "Format",
    "Identity",
    "ImportOptions",
    "Row",
    "RowProblem",
    "Source",
    "open_source",
    "option_help",
    "option_name",
    "parse_quantities",
    "refuse_shared_sources",
]
