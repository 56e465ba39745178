#!/usr/bin/env python3
"""Ten quality rules over 5 million rows: `local quality`, DuckDB SQL, pandera and Great Expectations, in one run.

Needs: a release build (`cargo build --release --workspace --bins`) and, for the interpreter that runs it,
`pip install duckdb pandas pyarrow "pandera[pandas]" great_expectations`. What is not installed is left out, by name.
Usage: python3 tests/benches/quality.py [--rows 5000000] [--rounds 3]

All sides read the same Parquet file and must come to the same verdicts. Rounds alternate between them; medians are
printed. CPU is net of start-up: a run over a file of a few rows is taken off, for every side alike.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL = ROOT / "target" / "release" / "local"
MONTH = "2024-01"
FEW_ROWS = 200

RULESET = """
Rules = [
    RowCount > 10,
    IsComplete "tpep_pickup_datetime",
    Completeness "passenger_count" > 0.1,
    Uniqueness "tpep_pickup_datetime" > 0.001,
    DistinctValuesCount "pulocationid" > 10,
    ColumnValues "vendorid" in [1, 2, 6, 7],
    ColumnValues "fare_amount" >= 0 with threshold > 0.5,
    Mean "total_amount" between 1 and 1000,
    StandardDeviation "trip_distance" < 100000,
    ColumnLength "store_and_fwd_flag" <= 1
]
"""

DUCKDB = """
import duckdb, sys
db = duckdb.connect()
db.execute("SET threads = 2")
row = db.execute('''
    SELECT count(*), count(tpep_pickup_datetime), count(passenger_count),
      count(*) FILTER (VendorID IN (1, 2, 6, 7)),
      count(*) FILTER (fare_amount >= 0),
      avg(total_amount), stddev_pop(trip_distance), max(coalesce(length(store_and_fwd_flag), 0)),
      count(DISTINCT PULocationID)
    FROM read_parquet(?)''', [sys.argv[1]]).fetchone()
n, picked, passengers, vendors, fares, mean, deviation, longest, zones = row
once, = db.execute('''
    SELECT count(*) FILTER (n = 1) / sum(n)
    FROM (SELECT count(*) AS n FROM read_parquet(?) GROUP BY tpep_pickup_datetime)''', [sys.argv[1]]).fetchone()
verdicts = [n > 10, picked == n, passengers / n > 0.1, once > 0.001, zones > 10, vendors == n, fares / n > 0.5,
            1 < mean < 1000, deviation < 100000, longest <= 1]
print(sum(verdicts))
"""

PANDERA = """
import sys
import pandas as pd, pandera.pandas as pa
columns = ["tpep_pickup_datetime", "passenger_count", "VendorID", "fare_amount", "trip_distance", "total_amount",
           "store_and_fwd_flag", "PULocationID"]
frame = pd.read_parquet(sys.argv[1], columns=columns)
share = lambda passing, least: bool(passing.mean() > least)
schema = pa.DataFrameSchema({
    "tpep_pickup_datetime": pa.Column(nullable=False, checks=pa.Check(
        lambda s: bool((~s.duplicated(keep=False)).mean() > 0.001))),
    "passenger_count": pa.Column(nullable=True, checks=pa.Check(lambda s: share(s.notna(), 0.1), ignore_na=False)),
    "VendorID": pa.Column(checks=pa.Check.isin([1, 2, 6, 7])),
    "fare_amount": pa.Column(checks=pa.Check(lambda s: share(s >= 0, 0.5)), nullable=True),
    "trip_distance": pa.Column(nullable=True, checks=pa.Check(lambda s: bool(s.std(ddof=0) < 100000))),
    "total_amount": pa.Column(nullable=True, checks=pa.Check(lambda s: bool(1 < s.mean() < 1000))),
    "store_and_fwd_flag": pa.Column(nullable=True, checks=pa.Check.str_length(max_value=1)),
    "PULocationID": pa.Column(checks=pa.Check(lambda s: s.nunique() > 10)),
}, checks=pa.Check(lambda frame: len(frame) > 10))
try:
    schema.validate(frame, lazy=True)
    print(10)
except pa.errors.SchemaErrors as errors:
    print(10 - len(errors.failure_cases["check"].unique()))
"""

GREAT_EXPECTATIONS = """
import logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import pandas as pd, great_expectations as gx
import great_expectations.expectations as e
columns = ["tpep_pickup_datetime", "passenger_count", "VendorID", "fare_amount", "trip_distance", "total_amount",
           "store_and_fwd_flag", "PULocationID"]
frame = pd.read_parquet(sys.argv[1], columns=columns)
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False, "metric_calculations": False}
batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
suite = gx.ExpectationSuite(name="s", expectations=[
    e.ExpectTableRowCountToBeBetween(min_value=11),
    e.ExpectColumnValuesToNotBeNull(column="tpep_pickup_datetime"),
    e.ExpectColumnValuesToNotBeNull(column="passenger_count", mostly=0.1),
    e.ExpectColumnValuesToBeInSet(column="VendorID", value_set=[1, 2, 6, 7]),
    e.ExpectColumnValuesToBeBetween(column="fare_amount", min_value=0, mostly=0.5),
    e.ExpectColumnValuesToBeUnique(column="tpep_pickup_datetime", mostly=0.001),
    e.ExpectColumnMeanToBeBetween(column="total_amount", min_value=1, max_value=1000),
    e.ExpectColumnStdevToBeBetween(column="trip_distance", max_value=100000),
    e.ExpectColumnValueLengthsToBeBetween(column="store_and_fwd_flag", max_value=1),
    e.ExpectColumnUniqueValueCountToBeBetween(column="PULocationID", min_value=11),
])
result = batch.get_batch({"dataframe": frame}).validate(suite)
print(sum(found.success for found in result.results))
"""

PYTHON = {
    "duckdb": ("duckdb", DUCKDB),
    "pandera": ("pandera", PANDERA),
    "great expectations": ("great_expectations", GREAT_EXPECTATIONS),
}


def sides(ruleset):
    """The command of each side for a file; a peer that is not installed has none."""
    commands = {"local quality": lambda file: [str(LOCAL), "quality", str(ruleset), str(file), "--json"]}
    for name, (module, program) in PYTHON.items():
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0:
            commands[name] = lambda file, program=program: [sys.executable, "-c", program, str(file)]
        else:
            print(f"{name} is left out: it is not installed", file=sys.stderr)
    return commands


def measure(command):
    """CPU seconds, and peak memory in MiB, of one process; and how many rules it says have passed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    output = process.stdout.read().decode()
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[:2]} ended with {process.returncode}: {output} {said}")
    last = output.strip().splitlines()[-1]
    passed = json.loads(last)["passed"] if last.startswith("{") else int(last)
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024, "passed": passed}


def sample(folder, rows):
    folder.mkdir()
    command = [LOCAL, "sample", "--dataset", "yellow", "--month", MONTH, "--rows", str(rows), "--out", folder]
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
    return folder / f"yellow_tripdata_{MONTH}.parquet"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="quality-bench-"))
    try:
        ruleset = work / "ten.dqdl"
        ruleset.write_text(RULESET)
        few, many = sample(work / "few", FEW_ROWS), sample(work / "many", options.rows)
        found = {name: [] for name in sides(ruleset)}
        for round_number in range(options.rounds):
            for name, command in sides(ruleset).items():
                start = measure(command(few))
                run = measure(command(many))
                assert run["passed"] == 10, (name, run)
                found[name].append({"net": run["cpu"] - start["cpu"], "cpu": run["cpu"], "peak": run["peak"]})
                print(f"round {round_number + 1}: {name} {found[name][-1]}", file=sys.stderr)
        report(options, found)
    finally:
        shutil.rmtree(work)


def report(options, found):
    median = lambda name, key: statistics.median(run[key] for run in found[name])
    print(f"ten rules, {options.rows:,} rows, {options.rounds} rounds, medians; CPU net of start-up")
    print(f"{'':20}{'CPU s':>8}{'x DuckDB':>10}{'peak MiB':>10}{'x DuckDB':>10}{'with start-up s':>17}")
    base = "duckdb" if "duckdb" in found else "local quality"
    for name in found:
        ratios = [statistics.median(a[key] / b[key] for a, b in zip(found[name], found[base])) for key in ("net", "peak")]
        print(f"{name:20}{median(name, 'net'):8.2f}{ratios[0]:10.2f}{median(name, 'peak'):10.0f}{ratios[1]:10.2f}"
              f"{median(name, 'cpu'):17.2f}")


if __name__ == "__main__":
    main()
