"""Analysis: what is in a usage file, and a billing file that would count it.

`analyze(path, options)` reads the file once, in memory that does not grow with it, and says what it found: event
kinds, fields, how many different values they have, ranges of numbers (exact), the time span with its gaps and peaks,
and which field is likely to be the team, the time and the quantity. `proposal` makes a billing file of that.
"""

from tallystick.importing.analysis.models import Analysis
from tallystick.importing.analysis.proposal import Proposal, propose
from tallystick.importing.analysis.reading import analyze

__all__ = ["Analysis", "Proposal", "analyze", "propose"]
