"""Two Parquet files of 12 columns and the truth about how they differ.

Everything follows from the row's number and the seed, so that the truth is
computed and not found. Differences lie at random places, the worst case for
whatever works in segments.
"""

import pathlib

import duckdb

TEXT = ["email", "first_name", "last_name", "phone", "company", "stage", "city"]
OTHER = ["amount", "modified_at", "owner_id", "score"]
FIELDS = TEXT + OTHER

ROW = """
    'user' || i || '@example' || hash(i, 1) % 5000 || '.com' AS email, 'First' || hash(i, 2) % 3000 AS first_name,
    'Last' || hash(i, 3) % 20000 AS last_name, '+1 415 ' || (hash(i, 4) % 900 + 100) || ' ' || (hash(i, 5) % 9000 + 1000) AS phone,
    'Company ' || hash(i, 6) % 100000 AS company, ['lead', 'qualified', 'sales', 'customer', 'other'][(hash(i, 7) % 5 + 1)::INT] AS stage,
    'City ' || hash(i, 11) % 5000 AS city, (hash(i, 8) % 1000000000)::DECIMAL(12, 2) / 100 AS amount_,
    to_timestamp(1600000000 + (hash(i, 9) % 150000000)::BIGINT)::TIMESTAMP AS modified_at, (hash(i, 10) % 500)::INT AS owner_id,
    (hash(i, 12) % 100000)::DOUBLE / 7 AS score
"""


def changed(field: str) -> str:
    """The target's value of a field: another, cut off, or blank (never NULL: reladiff 0.6 stops where NULL meets a value)."""
    at = FIELDS.index(field)
    if field in TEXT:
        way = f"CASE hash(id, 44) % 3 WHEN 0 THEN '' WHEN 1 THEN {field} || 'x' ELSE left({field}, len({field}) - 2) END"
    elif field == "modified_at":
        way = "modified_at + INTERVAL 1 SECOND"
    else:
        way = f"{field} + 1"
    return f"CASE WHEN fate = 'field' AND hash(id, 43) % {len(FIELDS)} = {at} THEN {way} ELSE {field} END AS {field}"


def make(folder: pathlib.Path, rows: int, percent: float, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    db = duckdb.connect()
    db.execute("SET threads = 2; SET memory_limit = '4GB'; SET preserve_insertion_order = true")
    db.execute(f"CREATE VIEW base AS SELECT i::BIGINT AS id, * EXCLUDE (amount_, i), amount_::DECIMAL(12, 2) AS amount FROM (SELECT i, {ROW} FROM range({rows}) t(i))")
    fate = f"""CASE WHEN hash(id, {seed}) % 1000000 >= {round(percent * 10000)} THEN 'same'
        WHEN hash(id, 42) % 100 < 90 THEN 'field' WHEN hash(id, 42) % 100 < 94 THEN 'gone' WHEN hash(id, 42) % 100 < 98 THEN 'extra' ELSE 'twice' END"""
    columns = ", ".join(FIELDS)
    db.execute(f"COPY (SELECT id, {columns} FROM base) TO '{folder}/a.parquet' (FORMAT parquet)")
    db.execute(f"CREATE VIEW a AS SELECT *, {fate} AS fate FROM '{folder}/a.parquet'")
    db.execute(f"""COPY (SELECT id, {", ".join(changed(f) for f in FIELDS)} FROM a WHERE fate != 'gone'
        UNION ALL SELECT -id - 1, {columns} FROM a WHERE fate = 'extra' UNION ALL SELECT id, {columns} FROM a WHERE fate = 'twice'
        ) TO '{folder}/b.parquet' (FORMAT parquet)""")
    names = "[" + ", ".join(f"'{f}'" for f in FIELDS) + "]"
    db.execute(f"""COPY (SELECT CASE fate WHEN 'extra' THEN -id - 1 ELSE id END::VARCHAR AS record_key,
        CASE fate WHEN 'field' THEN {names}[(hash(id, 43) % {len(FIELDS)} + 1)::INT] ELSE '' END AS field,
        CASE fate WHEN 'field' THEN 'value_mismatch' WHEN 'gone' THEN 'missing_in_target' WHEN 'extra' THEN 'missing_in_source' ELSE 'duplicate' END AS kind
        FROM a WHERE fate != 'same') TO '{folder}/truth.parquet' (FORMAT parquet)""")


def check(folder: pathlib.Path, found: pathlib.Path) -> dict:
    """Holds the divergences found against the truth: what is not found, what is invented."""
    db = duckdb.connect()
    read = f"read_json('{found}', format = 'newline_delimited', columns = {{record_key: 'VARCHAR', field: 'VARCHAR', kind: 'VARCHAR'}})"
    if found.stat().st_size == 0:
        read = "(SELECT '' AS record_key, '' AS field, '' AS kind WHERE false)"
    truth = f"'{folder}/truth.parquet'"
    count = lambda sql: db.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]
    return {
        "injected": count(f"SELECT * FROM {truth}"),
        "missed": count(f"SELECT record_key, field, kind FROM {truth} EXCEPT ALL SELECT record_key, field, kind FROM {read}"),
        "invented": count(f"SELECT record_key, field, kind FROM {read} EXCEPT ALL SELECT record_key, field, kind FROM {truth}"),
    }
