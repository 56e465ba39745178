#!/usr/bin/env python3
"""Uses Athena and Glue as Python's libraries for them do: PyAthena with SQLAlchemy, awswrangler, pyiceberg, dbt.

Needs: a release build of `local`; for the interpreter that runs it
`pip install "PyAthena[SQLAlchemy,Pandas]" awswrangler "pyiceberg[glue,pyiceberg-core]"`.
dbt wants an environment of its own (`pip install "dbt-core<1.11" "dbt-athena<1.11"`), and its `dbt` on the command line.
Usage: python3 tests/clients/athena.py [--local target/release/local] [--dbt PATH-OF-DBT]

Nothing about the clients is changed: endpoint and keys come from the environment. Exit code 1 at the first that fails.
"""

import argparse
import os
import shutil
import subprocess

from account import ROOT, Account, walk

BUCKET = "clients-walk"
STAGING = f"s3://{BUCKET}/results/"


def cursor(**options):
    from pyathena import connect

    return connect(s3_staging_dir=STAGING, region_name="us-east-1", **options).cursor()


def pyathena(_):
    import datetime
    import decimal

    found = cursor()
    found.execute("CREATE DATABASE IF NOT EXISTS walk")
    found.execute(
        "CREATE EXTERNAL TABLE walk.t (id int, name string, at timestamp, price decimal(10,2)) "
        f"STORED AS PARQUET LOCATION 's3://{BUCKET}/t/'"
    )
    found.execute(
        "INSERT INTO walk.t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00', DECIMAL '1.50'), (2, NULL, NULL, NULL)"
    )
    found.execute("SELECT * FROM walk.t ORDER BY id")
    first = (1, "a", datetime.datetime(2024, 1, 1), decimal.Decimal("1.50"))
    assert found.fetchall() == [first, (2, None, None, None)]
    assert [column[1] for column in found.description] == ["integer", "varchar", "timestamp", "decimal"]
    found.execute("SELECT id FROM walk.t WHERE name = %(name)s", {"name": "a"})
    assert found.fetchone() == (1,)
    found.execute("SELECT id FROM walk.t WHERE id = ?", ["2"], paramstyle="qmark")
    assert found.fetchone() == (2,)


def pyathena_other_cursors(_):
    from pyathena.async_cursor import AsyncCursor
    from pyathena.cursor import DictCursor
    from pyathena.pandas.cursor import PandasCursor

    query = "SELECT id, name FROM walk.t ORDER BY id"
    for unload in (False, True):
        frame = cursor(cursor_class=PandasCursor, cursor_kwargs={"unload": unload}).execute(query).as_pandas()
        assert list(frame["id"]) == [1, 2], frame
    _, answer = cursor(cursor_class=AsyncCursor).execute("SELECT count(*) FROM walk.t")
    assert answer.result().fetchall() == [(2,)]
    found = cursor(cursor_class=DictCursor)
    found.execute(query)
    assert found.fetchall()[0] == {"id": 1, "name": "a"}


def sqlalchemy(_):
    from sqlalchemy import MetaData, Table, create_engine, func, inspect, select, text

    engine = create_engine(f"awsathena+rest://:@athena.us-east-1.amazonaws.com:443/walk?s3_staging_dir={STAGING}")
    inspector = inspect(engine)
    assert inspector.get_table_names("walk") == ["t"]
    assert [column["name"] for column in inspector.get_columns("t", "walk")] == ["id", "name", "at", "price"]
    table = Table("t", MetaData(schema="walk"), autoload_with=engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 2
        assert connection.execute(select(func.max(table.c.id))).scalar() == 2


def awswrangler_reads_and_writes(_):
    import awswrangler as wr
    import pandas as pd

    frame = pd.DataFrame({"id": [1, 2, 3], "v": ["x", "y", None], "part": ["p1", "p1", "p2"]})
    frame["d"] = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])
    target = {"path": f"s3://{BUCKET}/wr/", "dataset": True, "database": "walk", "table": "wr", "partition_cols": ["part"]}
    wr.s3.to_parquet(frame, mode="overwrite", **target)
    ways = [
        {"ctas_approach": True, "s3_output": STAGING},
        {"ctas_approach": False, "s3_output": STAGING},
        {"ctas_approach": False, "unload_approach": True, "s3_output": f"s3://{BUCKET}/unload/"},
    ]
    for way in ways:
        found = wr.athena.read_sql_query("SELECT * FROM wr ORDER BY id", database="walk", **way)
        assert found.shape == (3, 4), (way, found)
    more = pd.DataFrame({"id": [9], "v": ["q"], "part": ["p9"], "d": pd.to_datetime(["2024-02-01"]), "extra": [1.5]})
    wr.s3.to_parquet(more, mode="append", schema_evolution=True, **target)
    plain = {"database": "walk", "s3_output": STAGING, "ctas_approach": False}
    assert wr.athena.read_sql_query("SELECT * FROM wr", **plain).shape == (4, 5)
    found = wr.athena.read_sql_query("SELECT v FROM wr WHERE id = :id", params={"id": 2}, **plain)
    assert list(found["v"]) == ["y"]
    values = {"a": [1, 2], "b": ["x", "y,z"]}
    wr.s3.to_csv(pd.DataFrame(values), f"s3://{BUCKET}/csv/", dataset=True, database="walk", table="csv", index=False)
    found = wr.athena.read_sql_query("SELECT * FROM csv ORDER BY a", **plain)
    assert list(found["b"]) == ["x", "y,z"], found


def awswrangler_iceberg(_):
    import awswrangler as wr
    import pandas as pd

    target = {"database": "walk", "table": "ice", "table_location": f"s3://{BUCKET}/ice/", "temp_path": f"s3://{BUCKET}/ice-temp/"}
    target |= {"s3_output": STAGING, "keep_files": False}
    wr.athena.to_iceberg(pd.DataFrame({"id": [1, 2, 3], "v": ["x", "y", "z"]}), partition_cols=["bucket(2, id)"], **target)
    more = pd.DataFrame({"id": [3, 4], "v": ["zz", "new"]})
    wr.athena.to_iceberg(more, merge_cols=["id"], **target)
    wider = pd.DataFrame({"id": [5], "v": ["five"], "extra": [1.5]})
    wr.athena.to_iceberg(wider, schema_evolution=True, **target)
    wr.athena.delete_from_iceberg_table(pd.DataFrame({"id": [1]}), merge_cols=["id"], database="walk", table="ice",
                                        temp_path=f"s3://{BUCKET}/ice-temp/", s3_output=STAGING, keep_files=False)
    plain = {"database": "walk", "s3_output": STAGING, "ctas_approach": False}
    found = wr.athena.read_sql_query("SELECT id, v, extra FROM ice ORDER BY id", **plain)
    assert list(found["id"]) == [2, 3, 4, 5] and list(found["v"]) == ["y", "zz", "new", "five"], found
    assert found["extra"].isna().sum() == 3, found
    history = wr.athena.read_sql_query('SELECT count(*) AS n FROM "ice$snapshots"', **plain)
    assert history["n"][0] >= 4, history


def pyiceberg(_):
    """Reads what statements wrote, adds rows and changes the schema by itself; statements see both."""
    import pyarrow as pa
    from pyiceberg.catalog import load_catalog
    from pyiceberg.types import StringType

    place = {"s3.endpoint": os.environ["AWS_ENDPOINT_URL"], "glue.endpoint": os.environ["AWS_ENDPOINT_URL"]}
    place |= {"s3.region": "us-east-1", "s3.access-key-id": "test", "s3.secret-access-key": "test"}
    catalog = load_catalog("glue", type="glue", **place)
    table = catalog.load_table("walk.ice")
    rows = {row["id"]: row["v"] for row in table.scan().to_arrow().to_pylist()}
    assert rows == {2: "y", 3: "zz", 4: "new", 5: "five"}, rows
    with table.update_schema() as change:
        change.add_column("note", StringType())
    ids = table.schema().as_arrow()
    more = {"id": [6], "v": ["six"], "extra": [None], "note": ["by pyiceberg"]}
    table.append(pa.table({name: pa.array(more[name], ids.field(name).type) for name in ids.names}))
    found = cursor(schema_name="walk")
    found.execute("UPDATE ice SET v = v || '!' WHERE id >= 5")
    found.execute("SELECT id, v, note FROM ice WHERE id >= 5 ORDER BY id")
    assert found.fetchall() == [(5, "five!", None), (6, "six!", "by pyiceberg")], "after both have written"
    rows = catalog.load_table("walk.ice").scan(row_filter="id >= 5").to_arrow().sort_by("id").to_pylist()
    assert [row["v"] for row in rows] == ["five!", "six!"], rows


def awswrangler_catalog(_):
    import awswrangler as wr

    assert set(wr.catalog.databases()["Database"]) >= {"default", "walk"}
    assert len(wr.catalog.get_partitions("walk", "wr")) == 3
    wr.athena.repair_table("wr", database="walk", s3_output=STAGING)
    assert wr.catalog.delete_table_if_exists("walk", "wr")
    assert not wr.catalog.does_table_exist("walk", "wr")


def dbt(options):
    """Seeds, a view, a partitioned table, incremental models that overwrite partitions and merge rows, tests, the catalog."""
    if not options.dbt:
        print("dbt is left out: --dbt does not say where it is")
        return
    project = options.account.folder / "dbt"
    shutil.copytree(ROOT / "tests/clients/dbt", project)
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_PROFILES_DIR": str(project)}
    for command in (["debug"], ["seed"], ["run"], ["run"], ["test"], ["docs", "generate"]):
        ran = subprocess.run([options.dbt, *command], cwd=project, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    found = cursor()
    found.execute("SELECT name, n, total FROM dbt_walk.totals ORDER BY name")
    assert found.fetchall() == [("a", 1, 1.5), ("b", 1, 2.5), ("c", 1, 0.0)], "what dbt has made"
    found.execute("SELECT id, name, amount FROM dbt_walk.merged ORDER BY id")
    assert found.fetchall() == [(1, "a", 1.5), (2, "b", 12.5), (3, "c", 10.0), (4, "d", 4.0)], "what dbt has merged"


STEPS = [
    pyathena, pyathena_other_cursors, sqlalchemy, awswrangler_reads_and_writes, awswrangler_iceberg, pyiceberg,
    awswrangler_catalog, dbt,
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--local")
    parser.add_argument("--dbt")
    options = parser.parse_args()
    with Account(options.local, "--empty") as options.account:
        import boto3

        boto3.client("s3").create_bucket(Bucket=BUCKET)
        walk(STEPS, options)
    print(f"{len(STEPS)} of {len(STEPS)} steps")


if __name__ == "__main__":
    main()
