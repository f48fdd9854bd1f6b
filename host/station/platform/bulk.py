"""Set-based statements on the driver's own executemany: three times as fast as the compiler's, on both databases.

Table and column names come from Table objects of ours, never from input; values always travel as parameters.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY


@lru_cache(maxsize=64)
def _insert_sql(table: Table, mark: str, on_conflict: str) -> str:
    names = ", ".join(column.name for column in table.columns if column.autoincrement is not True)
    marks = ", ".join(mark for column in table.columns if column.autoincrement is not True)
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks}){on_conflict}"  # noqa: S608 - names of our own tables


def _mark(conn: Connection) -> str:
    return "?" if conn.dialect.name == "sqlite" else "%s"


def insert_rows(conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows given in the order of the table's columns (a generated key left out)."""
    if rows:
        conn.exec_driver_sql(_insert_sql(table, _mark(conn), ""), list(rows))


def upsert_rows(
    conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]], add: Collection[str] = (), keep: bool = False
) -> None:
    """Inserts rows; where the primary key is there already, columns in `add` are added up and the others replaced.

    keep: leave a row that is there as it is.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in keys]
    changes = ", ".join(
        f"{name} = {table.name}.{name} + excluded.{name}" if name in add else f"{name} = excluded.{name}"
        for name in rest
    )
    action = "DO NOTHING" if keep or not rest else f"DO UPDATE SET {changes}"
    clause = f" ON CONFLICT ({', '.join(keys)}) {action}"
    conn.exec_driver_sql(_insert_sql(table, _mark(conn), clause), list(rows))


def select_in(conn: Connection, query: Select[Any], column: ColumnElement[Any], values: Iterable[Any]) -> Iterator[Any]:
    """The rows of `query` whose `column` is one of the values (numbers or texts), however many those are."""
    some = list(values)
    if not some:
        return
    # One parameter for the whole set: as a list of parameters each value costs more than its row.
    if conn.dialect.name == "sqlite":
        among = select(func.json_each(bindparam("some")).table_valued("value").c.value)
        yield from conn.execute(query.where(column.in_(among)), {"some": json.dumps(some)}).all()
    else:
        among = select(func.unnest(bindparam("some", some, type_=ARRAY(column.type))))
        yield from conn.execute(query.where(column.in_(among))).all()


def select_pairs(
    conn: Connection, query: Select[Any], columns: tuple[ColumnElement[Any], ColumnElement[Any]], pairs: Iterable[Any]
) -> Iterator[Any]:
    """As select_in, for a pair of columns."""
    some = list(pairs)
    if not some:
        return
    if conn.dialect.name == "sqlite":
        value = func.json_each(bindparam("some")).table_valued("value").c.value
        among = select(func.json_extract(value, "$[0]"), func.json_extract(value, "$[1]"))
        yield from conn.execute(query.where(tuple_(*columns).in_(among)), {"some": json.dumps(some)}).all()
    else:
        halves = zip(columns, zip(*some, strict=True), strict=True)
        unnested = (func.unnest(bindparam(None, list(half), type_=ARRAY(column.type))) for column, half in halves)
        yield from conn.execute(query.where(tuple_(*columns).in_(select(*unnested)))).all()
