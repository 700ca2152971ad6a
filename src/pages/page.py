"""Pages in one file that needs nothing beside it: Jinja templates, so that every name and reason is escaped, with our
style and uPlot inside.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent
# Where the links to the other pages go; a page on its own has none.
LINKS = "<!--links to the other pages-->"


def render(folder: Path, template: str, **values: Any) -> str:
    """The page of a template in `folder`, which extends shell.html.jinja."""
    return _environment(folder).get_template(template).render(**values)


def embedded(data: Any) -> Markup:
    """JSON inside a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704


def linked(page: str, current: str, others: Mapping[str, str]) -> str:
    """A page with a header that leads to the others.

    Args:
        page: made by `render`.
        current: name of this page.
        others: name -> address of every page, this one among them.
    """
    return page.replace(
        LINKS, _environment(FOLDER).get_template("links.html.jinja").render(current=current, pages=others)
    )


@cache
def _environment(folder: Path) -> Environment:
    made = Environment(
        loader=FileSystemLoader([folder, FOLDER]), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.globals["asset"] = lambda name: _asset(folder, name)
    return made


@cache
def _asset(folder: Path, name: str) -> Markup:
    """A file of ours that stands in the page as it is."""
    path = folder / name if (folder / name).is_file() else FOLDER / name
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704  our own script and style
