"""Writing a step's outputs. On Azure ML an output is a mount, as a rule of blob storage: the step can neither remove
nor replace its folder, and renames, seeking back and locks are not promised. So a writer that needs one of these works
in a local folder first, and what it made is copied plainly: each file opened, written from its start, closed.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(output: Path) -> Iterator[Path]:
    """A local folder whose content becomes that of `output` when the block ends well."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        yield folder
        publish(folder, output)


def publish(source: Path, output: Path) -> None:
    """Make the content of the folder `output` that of the folder `source`; `output` itself stays what it is."""
    output.mkdir(parents=True, exist_ok=True)
    for old in output.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path in sorted(source.rglob("*")):
        target = output / path.relative_to(source)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, target)
