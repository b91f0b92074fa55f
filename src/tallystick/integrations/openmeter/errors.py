"""What a reader of meters can get wrong."""

from tallystick.core.errors import InvalidInput


class BadQuery(InvalidInput):
    """A parameter of a meter query that does not fit."""

    status = 400
