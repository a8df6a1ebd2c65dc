"""The templates of pages and cards."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(template: Path, **facts: Any) -> str:
    """Return `template` with the `facts` in it, escaped where it is a template of HTML.

    Raises:
        jinja2.UndefinedError: the template uses a name that is not among the facts.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=template.name.endswith(".html.jinja"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template.name).render(facts)
