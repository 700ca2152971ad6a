"""Values that occur more than once in a column of any length, found in bounded memory.

Whole numbers in a dense range, as sequences give them, are counted in bitmaps, a slice at a time. Everything else is
hashed to 64 bits, spread over files by the hash, and sorted a file at a time; equal hashes are then compared by value.
"""

import resource
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sales.contract_sql import INTEGER_TYPES

# Values of a slice of whole numbers, a bit each: 8 MB for each thread. Each further slice reads the column again.
SLICE, MAX_SLICES = 1 << 26, 32
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
        spill: folder for temporary files; up to 8 bytes a row are written of a slice in doubt, or of text.
        enough: once more values than this are found the search ends, for the caller refuses the data anyway.

    Returns:
        How many values occur more than once.
    """
    con.execute(f"create or replace temp table duplicated as select {column} as value from {relation} limit 0")
    several = 0
    for doubtful in _in_doubt(con, relation, column) if kind in INTEGER_TYPES else [f"{column} is not null"]:
        several += _add_repeated(con, f"(select {column} from {relation} where {doubtful})", column, spill, enough)
        if several > enough:
            break
    return several


def _add_repeated(con: duckdb.DuckDBPyConnection, rows: str, column: str, spill: Path, enough: int) -> int:
    """Add the repeated values of a select to `duplicated`; how many these are."""
    suspects = _equal_hashes(con, rows, column, spill, enough)
    if not len(suspects):
        return 0
    con.register("suspects", pa.table({"hash": suspects}))
    (several,) = _one(
        con,
        f"insert into duplicated select {column} from {rows} where hash({column}) in (select hash from suspects) "
        f"group by {column} having count(*) > 1",
    )
    con.unregister("suspects")
    return several


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    # fetchall, not fetchone: a result that is not read to its end blocks the connection.
    ((*row,),) = con.execute(sql).fetchall()
    return tuple(row)


def _in_doubt(con: duckdb.DuckDBPyConnection, relation: str, column: str) -> Iterator[str]:
    """Conditions of the slices of the column's range in which a bitmap does not prove that every value is another.

    Where the range has more than MAX_SLICES, as random numbers have, that of all rows.
    """
    low, high, count = _one(con, f"select min({column}), max({column}), count({column}) from {relation}")
    if not count:
        return
    if (high - low) // SLICE >= MAX_SLICES:
        yield f"{column} is not null"
        return
    for first in range(low, high + 1, SLICE):
        last = min(first + SLICE - 1, high)
        # Parquet's statistics skip what lies outside the slice.
        inside = f"{column} between {first} and {last}"
        bits = f"bit_count(bitstring_agg({column}, {first}, {last}))"
        distinct, count = _one(con, f"select coalesce({bits}, 0), count(*) from {relation} where {inside}")
        if distinct < count:
            yield inside


def _equal_hashes(
    con: duckdb.DuckDBPyConnection, relation: str, column: str, spill: Path, enough: int
) -> npt.NDArray[np.uint64]:
    """64-bit hashes that occur more than once, one bucket in memory at a time."""
    (rows,) = _one(con, f"select count(*) from {relation}")
    bits = bucket_bits(rows)
    with tempfile.TemporaryDirectory(dir=spill) as folder:
        files = [Path(folder, str(bucket)) for bucket in range(1 << bits)]
        with ExitStack() as stack:
            handles = [stack.enter_context(path.open("wb")) for path in files]
            reader = con.sql(f"select hash({column}) as h from {relation}")
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
