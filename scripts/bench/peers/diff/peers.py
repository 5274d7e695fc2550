"""What the same question costs in others' programs, a process each."""

import pathlib
import sys

import duckdb

from data import FIELDS


def join(folder: pathlib.Path) -> None:
    """A full join on the key in DuckDB, one line a differing field, written as CSV."""
    db = duckdb.connect()
    db.execute("SET threads = 2")
    cells = " UNION ALL ".join(
        f"SELECT id, '{f}' AS field, a_{f}::VARCHAR AS a, b_{f}::VARCHAR AS b FROM j WHERE in_a AND in_b AND a_{f} IS DISTINCT FROM b_{f}"
        for f in FIELDS
    )
    columns = ", ".join(f"a.{f} AS a_{f}, b.{f} AS b_{f}" for f in FIELDS)
    differs = " OR ".join(f"a.{f} IS DISTINCT FROM b.{f}" for f in FIELDS)
    db.execute(f"""CREATE TEMP TABLE j AS SELECT coalesce(a.id, b.id) AS id, a.id IS NOT NULL AS in_a, b.id IS NOT NULL AS in_b, {columns}
        FROM '{folder}/a.parquet' a FULL JOIN '{folder}/b.parquet' b ON a.id = b.id WHERE a.id IS NULL OR b.id IS NULL OR {differs}""")
    db.execute(f"COPY ({cells} UNION ALL SELECT id, '', in_a::VARCHAR, in_b::VARCHAR FROM j WHERE NOT in_a OR NOT in_b) TO '{folder}/join.csv'")


def tables(folder: pathlib.Path) -> None:
    """The files as tables, for reladiff, which reads no files; not timed."""
    for side in "ab":
        path = folder / f"{side}.duckdb"
        path.unlink(missing_ok=True)
        duckdb.connect(str(path)).execute(f"CREATE TABLE t AS SELECT * FROM '{folder}/{side}.parquet'")


if __name__ == "__main__":
    {"join": join, "tables": tables}[sys.argv[1]](pathlib.Path(sys.argv[2]))
