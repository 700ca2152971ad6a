"""Values that occur more than once in a column of any length, found in bounded memory.

Whole numbers in a dense range, as sequences give them, are counted in a bitmap. Everything else is hashed to 64 bits,
spread over files by the hash, and sorted one file at a time; equal hashes are then compared by value.
"""

import resource
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sales.contract_sql import INTEGER_TYPES

BITMAP_LIMIT = 1 << 28  # widest range, in bits: 32 MB for each thread
# Hashes that are sorted at once, 16 MB of them; the most files, which are open together, is 1 << MAX_BUCKET_BITS.
BUCKET_ROWS, MIN_BUCKET_BITS, MAX_BUCKET_BITS = 1 << 21, 6, 9
BATCH_ROWS = 200_000


def find_duplicates(
    con: duckdb.DuckDBPyConnection, relation: str, column: str, kind: str, spill: Path, enough: int
) -> int:
    """Fill the temporary table `duplicated(value)` with the values of `column` that occur more than once.

    Args:
        con: where `relation` is known; NULLs are not looked at.
        relation: table or view name.
        column: quoted column name.
        kind: DuckDB type of the column.
        spill: folder for temporary files; up to 8 bytes a row are written when the bitmap does not decide.
        enough: once more values than this are found the search ends, for the caller refuses the data anyway.

    Returns:
        How many values occur more than once.
    """
    con.execute(f"create or replace temp table duplicated as select {column} as value from {relation} limit 0")
    if kind in INTEGER_TYPES and _all_distinct(con, relation, column):
        return 0
    suspects = _equal_hashes(con, relation, column, spill, enough)
    if not len(suspects):
        return 0
    con.register("suspects", pa.table({"hash": suspects}))
    con.execute(
        f"insert into duplicated select {column} from {relation} where hash({column}) in (select hash from suspects) "
        f"and {column} is not null group by {column} having count(*) > 1"
    )
    con.unregister("suspects")
    return int(_one(con, "select count(*) from duplicated")[0])


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    # fetchall, not fetchone: a result that is not read to its end blocks the connection.
    ((*row,),) = con.execute(sql).fetchall()
    return tuple(row)


def _all_distinct(con: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """True when a bitmap proves it; False when it does not or the range is too wide for one."""
    low, high, count = _one(con, f"select min({column}), max({column}), count({column}) from {relation}")
    if not count:
        return True
    if high - low >= BITMAP_LIMIT:
        return False
    (distinct,) = _one(con, f"select bit_count(bitstring_agg({column}, {low}, {high})) from {relation}")
    return distinct == count


def _equal_hashes(
    con: duckdb.DuckDBPyConnection, relation: str, column: str, spill: Path, enough: int
) -> npt.NDArray[np.uint64]:
    """64-bit hashes that occur more than once, one bucket in memory at a time."""
    (rows,) = _one(con, f"select count({column}) from {relation}")
    bits = bucket_bits(rows)
    with tempfile.TemporaryDirectory(dir=spill) as folder:
        files = [Path(folder, str(bucket)) for bucket in range(1 << bits)]
        with ExitStack() as stack:
            handles = [stack.enter_context(path.open("wb")) for path in files]
            reader = con.sql(f"select hash({column}) as h from {relation} where {column} is not null")
            for batch in cast(pa.RecordBatchReader, reader.to_arrow_reader(BATCH_ROWS)):
                _spread(batch.column(0).to_numpy(zero_copy_only=False), handles, bits)
        repeated: list[npt.NDArray[np.uint64]] = []
        for path in files:
            repeated.append(_repeated(path))
            if sum(map(len, repeated)) > enough:
                break
        return np.concatenate(repeated)


def bucket_bits(rows: int) -> int:
    """So that about BUCKET_ROWS hashes fall into each of 1 << bits files, at most half of those that may be open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_BUCKET_BITS if soft == resource.RLIM_INFINITY else min(MAX_BUCKET_BITS, (soft // 2).bit_length() - 1)
    return min(most, max(MIN_BUCKET_BITS, (rows // BUCKET_ROWS).bit_length()))


def _spread(hashes: npt.NDArray[np.uint64], handles: Sequence[IO[bytes]], bits: int) -> None:
    """Append each hash to the file of its top bits."""
    buckets = (hashes >> np.uint64(64 - bits)).astype(np.uint16)
    ordered = hashes[np.argsort(buckets, kind="stable")]
    edges = np.concatenate(([0], np.cumsum(np.bincount(buckets, minlength=1 << bits))))
    for bucket, handle in enumerate(handles):
        handle.write(ordered[edges[bucket] : edges[bucket + 1]].data)


def _repeated(path: Path) -> npt.NDArray[np.uint64]:
    hashes = np.sort(np.fromfile(path, dtype=np.uint64))
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
