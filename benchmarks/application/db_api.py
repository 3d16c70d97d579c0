# SPDX-License-Identifier: Apache-2.0
"""A database API shaped like nova's: module functions, context first."""

from __future__ import annotations

import datetime
import json
from typing import Any, NamedTuple

from sqlalchemy import DateTime, ForeignKey, String, event, func, select
from sqlalchemy.engine import Engine, create_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
)
from sqlalchemy.pool import QueuePool

ROWS = 10


class Context(NamedTuple):
    """What nova passes to each function: the user, and the database."""

    engine: Engine
    request_id: str
    user_id: str
    project_id: str


class _Model(DeclarativeBase):
    pass


class _Row:
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime.datetime] = mapped_column(DateTime)
    updated_at: Mapped[datetime.datetime | None] = mapped_column(DateTime)
    uuid: Mapped[str] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(32))
    deleted: Mapped[int] = mapped_column(default=0)


class Instance(_Row, _Model):
    """One server."""

    __tablename__ = "instances"
    host: Mapped[str] = mapped_column(String(255))
    memory_mb: Mapped[int]
    vcpus: Mapped[int]
    hostname: Mapped[str] = mapped_column(String(255))
    launched_at: Mapped[datetime.datetime] = mapped_column(DateTime)
    root_gb: Mapped[int] = mapped_column(default=1)
    ephemeral_gb: Mapped[int] = mapped_column(default=0)
    power_state: Mapped[int] = mapped_column(default=1)
    task_state: Mapped[str | None] = mapped_column(String(255))
    image_ref: Mapped[str | None] = mapped_column(String(255))
    extra: Mapped[Extra] = relationship(lazy="joined")


class Fault(_Row, _Model):
    """An error of a server."""

    __tablename__ = "instance_faults"
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    message: Mapped[str] = mapped_column(String(255))
    code: Mapped[int]


class Device(_Row, _Model):
    """A volume of a server."""

    __tablename__ = "block_device_mapping"
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    device_name: Mapped[str] = mapped_column(String(255))
    source_type: Mapped[str] = mapped_column(String(255), default="volume")
    volume_id: Mapped[str | None] = mapped_column(String(36))
    volume_size: Mapped[int] = mapped_column(default=1)
    boot_index: Mapped[int] = mapped_column(default=-1)
    connection_info: Mapped[str | None] = mapped_column(String(255))
    delete_on_termination: Mapped[int] = mapped_column(default=0)
    extra: Mapped[Extra] = relationship(
        lazy="joined",
        primaryjoin="foreign(Device.instance_id) == Extra.instance_id",
        viewonly=True,
    )


class Extra(_Row, _Model):
    """The large columns of a server."""

    __tablename__ = "instance_extra"
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"))
    flavor: Mapped[str] = mapped_column(String(1024))


def instances_get_all(context: Context) -> list[Instance]:
    """Return every server."""
    with Session(context.engine) as session:
        return list(session.scalars(select(Instance)))


def faults_get_all(context: Context) -> list[Fault]:
    """Return every fault."""
    with Session(context.engine) as session:
        return list(session.scalars(select(Fault)))


def devices_get_all(context: Context) -> list[Device]:
    """Return every volume."""
    with Session(context.engine) as session:
        return list(session.scalars(select(Device)))


def extras_get_all(context: Context) -> list[Extra]:
    """Return the large columns of every server."""
    with Session(context.engine) as session:
        return list(session.scalars(select(Extra)))


def nothing(context: Context) -> None:
    """Return at once: watching the call is all that it costs."""


def engine_of(*, listened: bool) -> Engine:
    """Return an engine over a small database in memory.

    With *listened* it has two listeners that do nothing, as every engine
    of oslo.db has some: SQLAlchemy then takes its slower way through each
    statement, with other listeners or without.
    """
    engine = create_engine(
        "sqlite://",
        poolclass=QueuePool,
        # In memory each connection is a database of its own.
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )
    _fill(engine)
    if listened:
        event.listen(engine, "commit", _nothing)
        event.listen(engine, "rollback", _nothing)
    return engine


def _nothing(connection: Any) -> None:
    pass


def _fill(engine: Engine) -> None:
    _Model.metadata.create_all(engine)
    now = datetime.datetime(2026, 1, 1)
    with Session(engine) as session:
        for number in range(1, ROWS + 1):
            row: dict[str, Any] = {
                "id": number,
                "created_at": now,
                "updated_at": None,
                "uuid": f"00000000-0000-4000-8000-{number:012d}",
                "state": "active",
            }
            own = {"instance_id": number}
            session.add_all(
                [
                    Instance(
                        **row,
                        host="compute1",
                        hostname=f"vm-{number}",
                        launched_at=now,
                        memory_mb=512,
                        vcpus=1,
                    ),
                    Fault(**row, **own, message="none", code=500),
                    Device(**row, **own, device_name="/dev/vdb"),
                    Extra(**row, **own, flavor=json.dumps(row, default=str)),
                ]
            )
        session.commit()
        assert session.scalar(select(func.count(Instance.id))) == ROWS
