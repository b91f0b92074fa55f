"""A document as one page of HTML that needs nothing from elsewhere: no script, no font, no picture.

Every text is escaped by the template engine. The page prints well, too.
"""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from tallystick.billing.invoices.rendering.view import InvoiceView


def as_html(view: InvoiceView) -> str:
    """The page."""
    return _template().render(view=view)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = files(__package__).joinpath("templates", "invoice.html.jinja")
    return environment.from_string(source.read_text(encoding="utf-8"))
