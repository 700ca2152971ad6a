"""DROP STAGE for the local warehouse; fakesnow 0.12.1 creates stages and cannot drop them."""

import re
import shutil
from typing import Any

_DROP = re.compile(r"\s*drop\s+stage\s+(?P<exists>if\s+exists\s+)?(?P<name>[\w$.]+)\s*;?\s*", re.IGNORECASE)
_STAGES = "_fs_global._fs_information_schema._fs_stages"


def drop_stage(cursor: Any, command: str) -> str | None:
    """Drop the stage that `command` names, files and all; returns the SQL of the answer, None for other commands.

    Raises:
        ProgrammingError: there is no such stage, and the command does not say IF EXISTS.
    """
    match = _DROP.fullmatch(command)
    if not match:
        return None
    from fakesnow.transforms import stage  # noqa: PLC0415

    connection = cursor._conn
    database, schema, name = stage.parts_from_var(match["name"], connection.database, connection.schema)
    dropped = cursor._duck_conn.execute(
        f"delete from {_STAGES} where database_name = ? and schema_name = ? and name = ?", [database, schema, name]
    ).fetchall()[0][0]
    if not dropped and not match["exists"]:
        raise stage.not_found_error(f"{database}.{schema}.{name}")
    shutil.rmtree(stage.internal_dir(f"{database}.{schema}.{name}"), ignore_errors=True)
    return f"select '{name} successfully dropped.' as status"
