"""What every page has to be in a browser, whatever it shows."""

from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "axe/axe.min.js"


def assert_accessible(tab: Any, width: int) -> None:
    """axe objects to nothing on the open page, it fits the width of the screen, and none of its scripts failed."""
    tab.run(AXE.read_text(encoding="utf-8"))
    violations = tab.run("axe.run().then(result => result.violations.map(each => [each.id, each.nodes[0].html]))")
    assert violations == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.faults() == []
