#!/usr/bin/env python3
"""The local Athena beside DuckDB: CSV to Parquet, by day, Parquet to Parquet, and four queries over many rides, in one run.

Needs: a release build (`cargo build --release --workspace --bins`) and, for the interpreter that runs it,
`pip install duckdb boto3`.
Usage: python3 tests/benches/athena.py [--rows 5000000] [--query-rows 20000000] [--rounds 3]

Both sides read the same files and must come to the same answers. CPU is that of the whole process that works, less that
of the same process over a file of a few rows; peak memory is a fresh process' own for each job. The queries are those of
the benchmark of 1.1 billion taxi rides. Rounds alternate; medians are printed.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL = ROOT / "target" / "release" / "local"
MONTH = "2024-01"
FEW_ROWS = 200
BUCKET = "athena-bench"
TICKS = os.sysconf("SC_CLK_TCK")

COLUMNS = [
    ("vendorid", "int"), ("tpep_pickup_datetime", "timestamp"), ("tpep_dropoff_datetime", "timestamp"),
    ("passenger_count", "bigint"), ("trip_distance", "double"), ("ratecodeid", "bigint"),
    ("store_and_fwd_flag", "string"), ("pulocationid", "int"), ("dolocationid", "int"), ("payment_type", "bigint"),
    ("fare_amount", "double"), ("extra", "double"), ("mta_tax", "double"), ("tip_amount", "double"),
    ("tolls_amount", "double"), ("improvement_surcharge", "double"), ("total_amount", "double"),
    ("congestion_surcharge", "double"), ("airport_fee", "double"),
]
NAMES = ", ".join(name for name, _ in COLUMNS)
TYPES = {name: {"string": "VARCHAR", "int": "INTEGER"}.get(kind, kind.upper()) for name, kind in COLUMNS}

CTAS = "CREATE TABLE made WITH (format = 'PARQUET', write_compression = 'ZSTD', external_location = '{target}'{more}) AS "
JOBS = {
    "CSV to Parquet": (
        "csv",
        CTAS.format(target="{target}", more="") + f"SELECT {NAMES} FROM csv",
        "COPY (SELECT * FROM {csv}) TO '{target}/made.parquet' (FORMAT parquet, COMPRESSION zstd)",
    ),
    "CSV to Parquet by day": (
        "csv",
        CTAS.format(target="{target}", more=", partitioned_by = ARRAY['day']")
        + f"SELECT {NAMES}, date_format(tpep_pickup_datetime, '%Y-%m-%d') AS day FROM csv "
        f"WHERE tpep_pickup_datetime BETWEEN TIMESTAMP '{MONTH}-01 00:00:00' AND TIMESTAMP '{MONTH}-31 23:59:59'",
        "COPY (SELECT *, strftime(tpep_pickup_datetime, '%Y-%m-%d') AS day FROM {csv} "
        f"WHERE tpep_pickup_datetime BETWEEN '{MONTH}-01' AND '{MONTH}-31 23:59:59') "
        "TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), OVERWRITE_OR_IGNORE)",
    ),
    "Parquet to Parquet": (
        "parquet",
        CTAS.format(target="{target}", more="") + f"SELECT {NAMES} FROM rides",
        "COPY (SELECT * FROM read_parquet('{parquet}')) TO '{target}/made.parquet' (FORMAT parquet, COMPRESSION zstd)",
    ),
}
QUERIES = {
    "query 1": "SELECT vendorid, count(*) AS n FROM {t} GROUP BY vendorid ORDER BY 1",
    "query 2": "SELECT passenger_count, avg(total_amount) AS a FROM {t} GROUP BY passenger_count ORDER BY 1",
    "query 3": "SELECT passenger_count, year(tpep_pickup_datetime) AS y, count(*) AS n FROM {t} GROUP BY 1, 2 ORDER BY 1, 2",
    "query 4": "SELECT passenger_count, year(tpep_pickup_datetime) AS y, CAST(floor(trip_distance) AS bigint) AS d, "
    "count(*) AS n FROM {t} GROUP BY 1, 2, 3 ORDER BY y, n DESC, 1, 3 LIMIT 50",
}

DUCKDB = """
import duckdb, sys, resource, json
statement = sys.stdin.read()
db = duckdb.connect()
db.execute("SET threads = 2; SET enable_progress_bar = false")
rows = db.execute(statement).fetchall()
print(json.dumps([[None if v is None else float(v) for v in row] for row in rows]) if statement.startswith("SELECT") else "[]")
"""


class Athena:
    """A server of its own, so that its peak memory is the job's."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [LOCAL, "serve", "--empty", "--data-dir", folder, "--port", str(self.port)], stdout=subprocess.DEVNULL
        )
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        import boto3

        place = {
            "endpoint_url": f"http://127.0.0.1:{self.port}", "region_name": "us-east-1",
            "aws_access_key_id": "test", "aws_secret_access_key": "test",
        }
        self.athena, self.s3 = boto3.client("athena", **place), boto3.client("s3", **place)

    def run(self, statement):
        started = self.athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": "default"},
            ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"},
        )["QueryExecutionId"]
        while (found := self.athena.get_query_execution(QueryExecutionId=started)["QueryExecution"])["Status"]["State"] in (
            "QUEUED", "RUNNING",
        ):
            time.sleep(0.01)
        if found["Status"]["State"] != "SUCCEEDED":
            sys.exit(f"{statement}\n{found['Status']['StateChangeReason']}")
        return started

    def rows(self, query):
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]][1:]
        return [[float(cell["VarCharValue"]) if "VarCharValue" in cell else None for cell in row] for row in rows]

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def end(self):
        self.process.terminate()
        self.process.wait()


def duckdb(statement):
    """CPU seconds, peak MiB and the rows of one process."""
    process = subprocess.Popen([sys.executable, "-c", DUCKDB], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(statement.encode())
    process.stdin.close()
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"DuckDB failed at {statement}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, json.loads(output)


class Source:
    """The rides as Parquet and CSV, and a data directory that has both as tables."""

    def __init__(self, folder, rows, with_csv):
        self.folder = folder
        folder.mkdir()
        command = [LOCAL, "sample", "--dataset", "yellow", "--month", MONTH, "--rows", str(rows), "--out", folder]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        self.parquet = folder / f"yellow_tripdata_{MONTH}.parquet"
        self.csv = folder / "rides.csv"
        if with_csv:
            duckdb(f"COPY (SELECT * FROM read_parquet('{self.parquet}')) TO '{self.csv}' (FORMAT csv, HEADER false)")
        self.data = folder / "data"
        account = Athena(self.data)
        account.s3.create_bucket(Bucket=BUCKET)
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
        account.s3.upload_file(str(self.parquet), BUCKET, "parquet/rides.parquet")
        account.run(f"CREATE EXTERNAL TABLE rides ({columns}) STORED AS PARQUET LOCATION 's3://{BUCKET}/parquet/'")
        if with_csv:
            account.s3.upload_file(str(self.csv), BUCKET, "csv/rides.csv")
            account.run(
                f"CREATE EXTERNAL TABLE csv ({columns}) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' "
                f"LOCATION 's3://{BUCKET}/csv/'"
            )
        account.end()

    def read_csv(self):
        types = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items()) + "}"
        return f"read_csv('{self.csv}', header = false, columns = {types}, auto_detect = false)"


def athena_job(source, statement, number):
    account = Athena(source.data)
    before = account.cpu()
    query = account.run(statement.replace("{target}", f"s3://{BUCKET}/made-{number}/"))
    measured = account.cpu() - before, account.peak()
    rows = account.rows(query) if statement.startswith("SELECT") else []
    if not rows:
        account.run("DROP TABLE made")
    account.end()
    return *measured, rows


def duckdb_job(source, statement, number):
    target = source.folder / f"duckdb-{number}"
    target.mkdir()
    filled = statement.replace("{csv}", source.read_csv()).replace("{parquet}", str(source.parquet))
    measured = duckdb(filled.replace("{target}", str(target)))
    shutil.rmtree(target)
    return measured


def close(one, other):
    same = lambda a, b: a == b or (a is not None and b is not None and abs(a - b) <= 1e-9 * max(abs(a), abs(b)))
    return len(one) == len(other) and all(all(map(same, *rows)) for rows in zip(one, other))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--query-rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="athena-bench-"))
    try:
        few = Source(folder / "few", FEW_ROWS, True)
        many = Source(folder / "many", options.rows, True)
        jobs = [(name, many, ours, theirs) for name, (_, ours, theirs) in JOBS.items()]
        rides = Source(folder / "rides", options.query_rows, False)
        for name, query in QUERIES.items():
            table = f"read_parquet('{rides.parquet}')"
            jobs.append((name, rides, query.format(t="rides"), query.replace("{t}", table)))
        number = 0
        print(f"{options.rows:,} rows, queries over {options.query_rows:,}, {options.rounds} rounds, medians of pairs")
        print(f"{'':24}{'CPU s':>8}{'DuckDB':>8}{'ratio':>7}{'peak MiB':>10}{'DuckDB':>8}{'ratio':>7}")
        for name, source, ours, theirs in jobs:
            pairs = []
            for _ in range(options.rounds):
                number += 1
                sides = []
                for run, statement in ((athena_job, ours), (duckdb_job, theirs)):
                    start = run(few, statement.replace(str(source.parquet), str(few.parquet)), f"{number}-few")
                    cpu, peak, rows = run(source, statement, number)
                    sides.append((max(cpu - start[0], 0.001), peak, rows))
                assert close(sides[0][2], sides[1][2]), (name, sides)
                pairs.append(sides)
            median = lambda pick: statistics.median(pick(pair) for pair in pairs)
            cpu = [median(lambda pair: pair[side][0]) for side in (0, 1)]
            peak = [median(lambda pair: pair[side][1]) for side in (0, 1)]
            ratios = [median(lambda pair: pair[0][at] / pair[1][at]) for at in (0, 1)]
            print(
                f"{name:24}{cpu[0]:8.2f}{cpu[1]:8.2f}{ratios[0]:7.2f}{peak[0]:10.0f}{peak[1]:8.0f}{ratios[1]:7.2f}", flush=True
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
