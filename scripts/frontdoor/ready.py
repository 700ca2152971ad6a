"""What a verb stands on, made where it is missing: registered environments, a warehouse with sales, their import."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from amlspec.errors import UserError
from frontdoor import environment, site
from host.state import home
from pipeline import azml, extension, runs
from provenance import keys
from warehouse import __main__ as program
from warehouse import lifecycle
from warehouse import state as warehouse

# Calls of az take seconds, most of them their own start.
SIDE_BY_SIDE = 4
SCORE_VENV = Path(".venv-score")
SCORE_LOCK = Path("ml/environments/score/requirements.txt")
SUMMED_BY = "warehouse/summed_by"


def environments() -> None:
    """Register ml/environments; on this machine only where one of their files is newer than the last time."""
    specs = sorted(Path("ml/environments").glob("*.yml"))
    if site.is_local():
        keys.give_to_jobs()
    else:
        site.needs_az()
        if problem := extension.problem():
            raise UserError(problem, 1)
        _register("environment", specs)
        return
    noted = home() / ".environments"
    files = [*specs, *Path("ml/environments").glob("*/*")]
    if noted.is_file() and noted.stat().st_mtime > max(path.stat().st_mtime for path in files):
        return
    for spec in specs:
        azml.run("environment", "create", spec=spec)
    noted.touch()


def assets() -> None:
    """Register environments and components under their versions, which a review has seen."""
    environments()
    _register("component", sorted(Path("ml/components").glob("*.yml")))


def for_jobs(sales: Path | None = None, summed_by: str | None = None) -> None:
    """Whatever a job needs: registered assets on Azure; here environments, and an import of these or the known sales.

    `summed_by` is as in `import_sales`; None takes the import that there is.

    On a laptop the pipeline refers to its components as files, so that an edit runs at once; only the environment is
    registered, since components name it by version.
    """
    if not site.is_local():
        # Only a push-down is asked for with the job; else the schedule imports, or `make import-data`.
        if not summed_by:
            assets()
        elif code := import_sales(summed_by):
            raise SystemExit(code)
        return
    environments()
    folder = home() / "warehouse"
    if sales or not (folder / "seeded.json").is_file():
        seed(sales)
    before = _summed_by()
    wanted = before if summed_by is None else summed_by
    if wanted != before or _imported_from() != _bytes([folder / "imported"]):
        code = import_sales(wanted)
        if code:
            raise SystemExit(code)


def seed(file: Path | None) -> None:
    """Fill the local warehouse; with generated sales where no file is given."""
    program.seed(warehouse.open_home(), file)


def import_sales(summed_by: str = "", *, waits: bool = True) -> int:
    """Sales from the warehouse to the data asset `sales`; here it is waited for in any case.

    Args:
        summed_by: the grain by which the warehouse sums them itself (a push-down); empty for the pipeline's default.
        waits: to the job's end.
    """
    if not site.is_local():
        assets()
        return runs.bring_in(site.vault(), summed_by, waits=waits)
    environments()
    if not (home() / "warehouse/seeded.json").is_file():
        seed(None)
    start_warehouse()
    code = runs.bring_in({}, summed_by, waits=True, says=not waits)
    if code == 0:
        (home() / SUMMED_BY).write_text(summed_by, encoding="utf-8")
        (home() / "warehouse/imported").write_bytes(_imported_from())
    return code


def _summed_by() -> str:
    """The grain of the last import's push-down; empty where raw rows came."""
    path = home() / SUMMED_BY
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def start_warehouse() -> None:
    """The local warehouse runs, and the steps of jobs know where, and its password, by their environment alone."""
    program.start(warehouse.open_home())
    os.environ.update(lifecycle.connection_environment(warehouse.open_home()))


def warehouse_variables() -> dict[str, str]:
    """By which a job's steps sign in to the local warehouse; {} where it does not run."""
    home_of_it = warehouse.open_home()
    return lifecycle.connection_environment(home_of_it) if warehouse.running(home_of_it) else {}


def serving() -> None:
    """What a rollout needs: the inference server's own environment here, registered environments everywhere."""
    if site.is_local():
        environment.beside(SCORE_VENV, SCORE_LOCK, "the inference server's locked packages")
        environments()
        azml.run("compute", "attach", spec=Path("ml/deploy/compute.yml"))
    else:
        environments()


def _register(kind: str, specs: Sequence[Path]) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for _ in pool.map(lambda spec: azml.run(kind, "create", spec=spec), specs):
            pass


def _imported_from() -> bytes:
    """What an import follows: what was seeded, and the specs that say how. Where one changed, it is imported anew."""
    given = [Path(each) for each in os.environ.get("IMPORT_SPECS", "").split()]
    known = [*sorted(Path("ml/data").glob("*.yml")), Path("ml/components/ingest.yml"), Path("ml/pipelines/import.yml")]
    return _bytes([home() / "warehouse/seeded.json", *(given or known)])


def _bytes(paths: Iterable[Path]) -> bytes:
    return b"".join(path.read_bytes() for path in paths if path.is_file())
