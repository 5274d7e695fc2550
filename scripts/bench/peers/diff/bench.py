"""plumbline diff beside a plain DuckDB full join and reladiff, on data whose differences are known.

Each program runs as a process of its own, one after the other; CPU counts its
children too. Prints a Markdown table; --out keeps it with the raw numbers.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import data
import tables

HERE = pathlib.Path(__file__).parent


def timed(command: list, stdout: pathlib.Path, good: tuple) -> dict:
    with open(stdout, "wb") as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in good:
            err.seek(0)
            sys.exit(f"{command[0]} exited with {child.returncode}: {err.read()[-2000:].decode()}")
    return {"wall_s": round(wall, 2), "cpu_s": round(usage.ru_utime + usage.ru_stime, 2), "rss_mib": usage.ru_maxrss // 1024}


def measure(args, rows: int, percent: float) -> dict:
    folder = pathlib.Path(args.data) / f"{rows}-{percent}"
    print(f"{rows:,} rows, {percent} % different: making data", file=sys.stderr)
    data.make(folder, rows, percent, args.seed)
    result = {"rows": rows, "percent": percent}
    out = folder / "found.ndjson"
    print("  plumbline", file=sys.stderr)
    result["plumbline"] = timed(
        [args.bin, "diff", str(folder / "a.parquet"), str(folder / "b.parquet"), "--key", "id", "--quiet"], out, (0, 1))
    result["truth"] = data.check(folder, out)
    print("  DuckDB full join", file=sys.stderr)
    result["join"] = timed([sys.executable, str(HERE / "peers.py"), "join", str(folder)], folder / "join.out", (0,))
    if rows <= args.reladiff_rows:
        subprocess.run([sys.executable, str(HERE / "peers.py"), "tables", str(folder)], check=True)
        print("  reladiff", file=sys.stderr)
        reladiff = shutil.which("reladiff", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
        result["reladiff"] = timed(
            [reladiff, f"duckdb://{folder}/a.duckdb", "t", f"duckdb://{folder}/b.duckdb", "t", "-k", "id"]
            + [a for f in data.FIELDS for a in ("-c", f)] + ["--json", "-j", "2"], folder / "reladiff.out", (0, 1))
    if args.tables:
        print("  plumbline on ClickHouse tables", file=sys.stderr)
        result["tables"] = in_place(args, folder)
    shutil.rmtree(folder)
    return result


def in_place(args, folder: pathlib.Path) -> dict:
    """The same sides as tables of one ClickHouse server, which compares them itself."""
    server = tables.Server(args.bin, folder / "server")
    try:
        server.load(folder)
        out, before = folder / "tables.ndjson", server.cpu()
        result = timed([args.bin, "diff", server.address("a"), server.address("b"), "--key", "id", "--quiet"], out, (0, 1))
        result["server_cpu_s"] = round(server.cpu() - before, 2)
        result["truth"] = data.check(folder, out)
    finally:
        server.stop()
    return result


def markdown(results: list) -> str:
    lines = [
        "| rows | different | plumbline wall / CPU / RSS | DuckDB full join wall / CPU / RSS | reladiff wall / CPU | CPU: join, reladiff ÷ plumbline | injected, missed, invented |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in results:
        p, j, x, t = r["plumbline"], r["join"], r.get("reladiff"), r["truth"]
        ratio = f"{j['cpu_s'] / p['cpu_s']:.2f}" + (f", {x['cpu_s'] / p['cpu_s']:.1f}" if x else ", -")
        lines.append(
            f"| {r['rows'] / 1e6:g} M | {r['percent']:g} % | {p['wall_s']} s / {p['cpu_s']} s / {p['rss_mib']} MiB | {j['wall_s']} s / {j['cpu_s']} s / {j['rss_mib']} MiB "
            f"| {str(x['wall_s']) + ' s / ' + str(x['cpu_s']) + ' s' if x else 'not run'} | {ratio} | {t['injected']:,}, {t['missed']}, {t['invented']} |")
    return "\n".join(lines) + "\n" + in_place_markdown([r for r in results if "tables" in r])


def in_place_markdown(results: list) -> str:
    if not results:
        return ""
    lines = ["", "| rows | different | ClickHouse tables in place: wall / CPU asking / CPU of the server | injected, missed, invented |", "|---|---|---|---|"]
    for r in results:
        p, t = r["tables"], r["tables"]["truth"]
        lines.append(f"| {r['rows'] / 1e6:g} M | {r['percent']:g} % | {p['wall_s']} s / {p['cpu_s']} s / {p['server_cpu_s']} s | {t['injected']:,}, {t['missed']}, {t['invented']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--bin", default="bin/plumbline")
    p.add_argument("--data", default=tempfile.gettempdir() + "/plumbline-bench-diff", help="folder for the data; it is removed")
    p.add_argument("--cases", default="1e6:0,1e6:0.01,1e6:1,1e6:10,10e6:0,10e6:0.01,10e6:1,10e6:10", help="rows:percent,...")
    p.add_argument("--reladiff-rows", type=float, default=1e6, help="run reladiff up to so many rows")
    p.add_argument("--tables", action="store_true", help="compare ClickHouse tables of one server as well")
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--out", help="folder for diff.md and diff.json")
    args = p.parse_args()
    results = []
    for case in args.cases.split(","):
        rows, percent = case.split(":")
        results.append(measure(args, int(float(rows)), float(percent)))
        print(markdown(results[-1:]).splitlines()[-1], file=sys.stderr)  # what a broken run has measured is not lost
    table = markdown(results)
    print(table)
    if args.out:
        out = pathlib.Path(args.out)
        out.mkdir(parents=True, exist_ok=True)
        (out / "diff.md").write_text(table)
        (out / "diff.json").write_text(json.dumps(results, indent=1) + "\n")
    truths = [r["truth"] for r in results] + [r["tables"]["truth"] for r in results if "tables" in r]
    bad = [t for t in truths if t["missed"] or t["invented"]]
    if bad:
        sys.exit("the truth was not found: see the table")


if __name__ == "__main__":
    main()
