"""Takes back what jobs left whose engine was killed: processes, half outputs, runs, models.

Nothing watches an engine, and none can tidy up after SIGKILL. So every verb that looks at jobs calls `recover` first: a
record that says Running, of an engine that does not run, is all that is needed to know what to take back.
"""

import shutil
from typing import Any

from filelock import FileLock

from host import process
from localml import records, tracking


def recover() -> None:
    """Take back what is left; cheap where nothing is."""
    for record in records.load_all():
        if _is_orphaned(record):
            _recover(record["name"])


def _is_orphaned(record: dict[str, Any]) -> bool:
    # A pid alone would not do: after a restart of the machine another process may have it (process_mark).
    return record["status"] not in records.FINAL and not process.is_alive(record["engine"])


def _recover(job: str) -> None:
    # Two calls at once see the same orphan. The second waits here, and then finds nothing left to do.
    with FileLock(records.folder(job) / ".recovery.lock"):
        record = records.load(job)
        if not _is_orphaned(record):
            return
        for name, step in record["jobs"].items():
            if step["status"] == "Running":
                _take_back(job, name, step)
        record.update(status="Failed", error="the engine was killed; run the job again, finished steps are reused")
        # Last: whoever is killed before this line leaves an orphan still, and all of the above may be done twice.
        records.save(record)


def _take_back(job: str, name: str, step: dict[str, Any]) -> None:
    # On Linux a step ends with its engine; elsewhere, or where it had just been started, it may live on.
    if process.is_alive(step.get("process")):
        process.terminate(step["process"]["pid"])
    for folder in ("outputs", "tmp"):
        shutil.rmtree(records.folder(job) / name / folder, ignore_errors=True)
    tracking.rollback(f"{job}/{name}")
    step.update(status="Canceled", error="the engine was killed")
