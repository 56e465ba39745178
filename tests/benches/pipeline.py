#!/usr/bin/env python3
"""A 3-million-row yellow month through the whole local pipeline, beside a plain DuckDB script.

Needs: a release build (`cargo build --release --workspace --bins`) and `pip install duckdb`.
Usage: python3 tests/benches/pipeline.py [--rows 3000000] [--pairs 3]

Both sides read the same Parquet file and write canonical Parquet (ZSTD) split into loaded and rejected
rows, then count both. Runs alternate, so that a slow moment of the machine hits both; medians are printed.
The pipeline's time is the whole process: services, deployment, source, functions, Athena, report.
DuckDB's is the whole process too: interpreter, import, the same statement, the same audit.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL = ROOT / "target" / "release" / "local"
MONTH = "2024-01"

DUCKDB = """
import duckdb, sys
source, target = sys.argv[1:]
db = duckdb.connect()
db.execute("SET threads = 2")
integers = ["VendorID", "passenger_count", "RatecodeID", "PULocationID", "DOLocationID", "payment_type"]
doubles = ["trip_distance", "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount",
           "improvement_surcharge", "total_amount", "congestion_surcharge", "Airport_fee"]
columns = ", ".join(
    [f"TRY_CAST({c} AS BIGINT) AS {c.lower()}" for c in integers]
    + [f"TRY_CAST({c} AS DOUBLE) AS {c.lower()}" for c in doubles]
    + ["tpep_pickup_datetime", "tpep_dropoff_datetime", "store_and_fwd_flag"])
db.execute(f'''
    COPY (
      SELECT *, CASE WHEN rule IS NULL THEN 'loaded' ELSE 'rejected' END AS outcome FROM (
        SELECT *, CASE WHEN tpep_pickup_datetime IS NULL THEN 'missing_pickup'
                       WHEN tpep_dropoff_datetime < tpep_pickup_datetime THEN 'dropoff_before_pickup'
                       WHEN trip_distance < 0 THEN 'negative_distance' END AS rule
        FROM (SELECT {columns} FROM read_parquet('{source}'))))
    TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (outcome))''')
print(db.execute(f"SELECT outcome, rule, count(*), sum(total_amount) FROM read_parquet('{target}/*/*.parquet') "
                 "GROUP BY ALL ORDER BY ALL").fetchall())
"""


def peak_of_session(process, peaks, stop):
    """Highest VmHWM per program name among the processes of its session, in KiB."""
    while not stop.wait(0.01):
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if os.getsid(int(entry.name)) != process.pid:
                    continue
                status = (entry / "status").read_text()
                name = os.path.basename(os.readlink(entry / "exe"))
            except (OSError, ProcessLookupError):
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    peaks[name] = max(peaks.get(name, 0), int(line.split()[1]))


def measure(command):
    peaks, stop = {}, threading.Event()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, cwd=ROOT)
    watcher = threading.Thread(target=peak_of_session, args=(process, peaks, stop))
    watcher.start()
    output, _ = process.communicate()
    wall = time.monotonic() - start
    stop.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "peaks": peaks, "output": output.decode()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="pipeline-bench-"))
    source = work / "source"
    source.mkdir()
    subprocess.run([LOCAL, "sample", "--dataset", "yellow", "--month", MONTH, "--rows", str(options.rows),
                    "--out", source], check=True, cwd=ROOT, stdout=sys.stderr)
    file = source / f"yellow_tripdata_{MONTH}.parquet"
    ours, duck = [], []
    for pair in range(options.pairs):
        data = work / f"data-{pair}"
        ours.append(measure([LOCAL, "run", "--dataset", "yellow", "--from", source, "--data-dir", data, "--json"]))
        target = work / f"duck-{pair}"
        duck.append(measure([sys.executable, "-c", DUCKDB, str(file), str(target)]))
        load = json.loads(ours[-1]["output"])["loads"][0]
        assert load["rows_in"] == options.rows == load["rows_out"] + load["rows_rejected"], load
        print(f"pair {pair + 1}: pipeline {ours[-1]['wall']:.1f} s, duckdb {duck[-1]['wall']:.1f} s", file=sys.stderr)
        shutil.rmtree(data)
        shutil.rmtree(target)
    shutil.rmtree(work)
    report(options, ours, duck)


def report(options, ours, duck):
    median = lambda runs, key: statistics.median(run[key] for run in runs)
    ratio = lambda key: statistics.median(a[key] / b[key] for a, b in zip(ours, duck))
    print(f"{options.rows:,} rows, {options.pairs} pairs, medians")
    print(f"{'':10}{'pipeline':>10}{'duckdb':>10}{'ratio':>8}")
    for key, unit in (("wall", "s"), ("cpu", "CPU-s")):
        print(f"{key + ' ' + unit:10}{median(ours, key):10.2f}{median(duck, key):10.2f}{ratio(key):8.2f}")
    names = sorted({name for run in ours for name in run["peaks"]})
    for name in names:
        print(f"peak MiB {name}: {max(run['peaks'].get(name, 0) for run in ours) / 1024:.0f}")
    print(f"peak MiB duckdb: {max(max(run['peaks'].values()) for run in duck) / 1024:.0f}")


if __name__ == "__main__":
    main()
