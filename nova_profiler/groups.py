# SPDX-License-Identifier: Apache-2.0
"""What a hook times, and the parts that a request's time falls into.

A *group* holds calls of one kind; a hook adds them. A *bucket* is a part of
the breakdown, and each moment of a request belongs to exactly one. A new
source of calls is one file in ``capture/hooks`` and one row of ``HOOKS``:
the breakdown, metrics, log lines, pages, columns of runs and tables of the
manual read this table.
"""

from __future__ import annotations

from typing import NamedTuple

# What a group's time is, which decides how the breakdown takes it.
# The database driver and its pool: calls that contain no other call.
DRIVER = "driver"
# Functions round the driver, whose time contains the driver's. There is one
# such group, DB_API.
WRAPPER = "wrapper"
# All else. The thread's CPU clock cannot distinguish it from other waiting.
OTHER = "other"


class Bucket(NamedTuple):
    """One part of the breakdown."""

    name: str
    label: str
    # A colour name that rich knows; pages and terminal share it.
    color: str
    # The schema of kept runs that first has a column for it.
    since: int = 1


class Group(NamedTuple):
    """Calls of one kind: what a record's ``groups`` and ``calls`` name."""

    name: str
    # What one of its calls is called in the manual's table.
    meaning: str
    kind: str
    bucket: Bucket
    # The heading of its table on the page of a request; empty: no table.
    title: str = ""
    # What a name in the group names, as a column is headed.
    named: str = "function"
    # What one of its calls is, in "15 calls".
    noun: str = "call"
    # What the words of a name are: parts of a metric's name, or its labels.
    # Empty: a metric of its sum, and no names in a record's ``calls``.
    metric: tuple[str, ...] = ()
    # Its place among the groups of a log line; 0: behind the others, if it
    # took time.
    log_line_place: int = 0
    # A second word for it in ``nova-profiler calls --by``.
    also_called: str = ""


class Count(NamedTuple):
    """What a hook counts and does not time: in a record's ``counts``."""

    name: str
    # For a sentence, before and after its plural: "17 look-ups of options".
    noun: str
    rest: str = ""


class Hook(NamedTuple):
    """A value of the option ``hooks``, and the module that does it."""

    name: str
    # Below nova_profiler.capture.hooks; it has a function install().
    module: str
    # For the option's help, after the name.
    meaning: str
    groups: tuple[Group, ...] = ()
    counts: tuple[Count, ...] = ()
    # The option whose value install() gets; none: it gets nothing.
    takes: str = ""
    # False: the hook is there whenever the option that it takes is set.
    is_choice: bool = True
    # True: it does more than to replace attributes. Then it is there from the
    # first record of a process on, where the process may have none.
    is_process_wide: bool = False


def _driver(name: str, meaning: str, label: str, color: str = "cyan") -> Group:
    return Group(name, meaning, DRIVER, Bucket(name, label, color))


SQL = Group(
    "sql",
    "A statement handed to the database driver, as ``VERB table``.",
    DRIVER,
    Bucket("sql", "driver: statements", "cyan"),
    named="statement",
    noun="statement",
    metric=("verb", "table"),
    log_line_place=2,
)
FETCH = _driver(
    "fetch", "Rows being read from the cursor.", "driver: fetching rows"
)
TRANSACTION = _driver(
    "transaction", "COMMIT and ROLLBACK.", "driver: COMMIT and ROLLBACK"
)
CONNECT = _driver(
    "connect", "A connection being opened.", "driver: connecting"
)
POOL_WAIT = _driver(
    "pool_wait",
    "Waiting for SQLAlchemy's pool to give a connection.",
    "waiting for a pooled connection",
    "yellow",
)
PING = _driver(
    "ping",
    "The pool's test that a connection is alive.",
    "driver: testing connections",
)
DB_API = Group(
    "db_api",
    "A public function of the modules in ``db_api_modules``, by its bare "
    "name. A call made inside another one is in ``nested`` and in no sum.",
    WRAPPER,
    Bucket("sqlalchemy", "SQLAlchemy and wrapper", "magenta"),
    title="DB API",
    metric=("function",),
    log_line_place=1,
    also_called="function",
)
HTTP = Group(
    "http",
    "A request to another service, as ``service VERB route``, until its reply "
    "is read.",
    OTHER,
    Bucket("http", "HTTP to other services", "bright_blue", since=2),
    title="HTTP to other services",
    named="request",
    noun="request",
    metric=("peer", "verb"),
)
IDENTITY = Group(
    "identity",
    "A request to the identity service, as ``VERB route``: for a token, for "
    "the versions of a service; and ``fetch_token``, the check of the "
    "client's token.",
    OTHER,
    Bucket("identity", "tokens and discovery", "bright_magenta", since=2),
    title="Tokens and discovery",
    named="request",
    noun="request",
    metric=("verb", "route"),
)
CACHE = Group(
    "cache",
    "A call of a cache outside the process, as ``cache operation``.",
    OTHER,
    Bucket("cache", "caches", "bright_green", since=2),
    title="Caches",
    named="operation",
    metric=("cache", "operation"),
)
EVENT = Group(
    "event",
    "Waiting for an external event of an instance, such as "
    "``network-vif-plugged``, or for what neutron has for it, "
    "``network_info``.",
    OTHER,
    Bucket("event", "waiting for instance events", "bright_yellow", since=2),
    title="Instance events",
    named="event",
    noun="wait",
    metric=("event",),
)
RPC = Group(
    "rpc",
    "A message handed to the broker, as ``topic method``; a call waits for "
    "its answer. Others have their kind behind it: ``cast``, ``fanout``, "
    "``notify``.",
    OTHER,
    Bucket("rpc", "messages and their answers", "red", since=2),
    title="Messages",
    named="message",
    noun="message",
    metric=("topic", "method"),
)
RPC_SERIALISE = Group(
    "rpc_serialise",
    "What goes on round a message: arguments made into what can be sent, "
    "and the answer back.",
    OTHER,
    Bucket("rpc_serialise", "messages: serialising", "magenta", since=2),
)
PROCESS = Group(
    "process",
    "A child process by its program, or a function that privsep's daemon "
    "runs.",
    OTHER,
    Bucket("process", "child processes", "red", since=2),
    title="Child processes",
    named="program",
    noun="process",
    metric=("program",),
)
LOCK = Group(
    "lock",
    "Waiting for a lock of oslo.concurrency for more than 0.1 ms, for a log "
    "handler's, for nova-compute's ``build_semaphore``, or for the turn at "
    "rootwrap's daemon.",
    OTHER,
    Bucket("lock", "waiting for a lock", "yellow", since=2),
    title="Waits for locks",
    named="lock",
    noun="wait",
    metric=("name",),
)
LOG = Group(
    "log",
    "A log handler that took more than 0.1 ms.",
    OTHER,
    Bucket("log", "log handlers", "default", since=2),
)
GC = Group(
    "gc",
    "A full run of Python's garbage collector, which came by in this thread.",
    OTHER,
    Bucket("gc", "garbage collection", "default", since=2),
)
POOL = Group(
    "pool",
    "Work handed to an executor that waits for one of its workers.",
    OTHER,
    Bucket("pool", "waiting for a worker of a pool", "yellow", since=2),
    title="Waits for workers of pools",
    named="pool",
    noun="wait",
    metric=("name",),
)
TIMED = Group(
    "timed",
    "A function of the option ``timed_callables``.",
    OTHER,
    Bucket("timed", "timed_callables", "green"),
    title="Timed functions",
    metric=("name",),
)

# In the order in which they win a moment that several lanes claim: what the
# request truly waits for comes first.
HOOKS = (
    Hook(
        "sqlalchemy",
        "database.sqlalchemy_statements",
        "statements, fetches, connections",
        (SQL, FETCH, TRANSACTION, CONNECT, POOL_WAIT, PING),
    ),
    Hook(
        "db_api",
        "database.db_api_calls",
        "Nova's database functions",
        (DB_API,),
        takes="db_api_modules",
    ),
    Hook(
        "rpc",
        "rpc.sent_messages",
        "messages that are sent",
        (RPC, RPC_SERIALISE),
    ),
    Hook(
        "process",
        "processes.child_processes",
        "child processes, privsep, rootwrap's daemon",
        (PROCESS,),
    ),
    Hook(
        "threads",
        "spawns.thread_spawns",
        "takes the request along into executors and greenthreads",
    ),
    Hook(
        "config",
        "config_lookups",
        "counts look-ups of options",
        counts=(Count("config_lookups", "look-up", " of configuration"),),
    ),
    Hook(
        "http",
        "http.sent_requests",
        "HTTP requests to other services, tokens",
        (HTTP, IDENTITY),
    ),
    Hook(
        "cache",
        "cache_calls",
        "memcached and other caches",
        (CACHE,),
        counts=(Count("memory_cache_calls", "call", " of caches in memory"),),
    ),
    Hook(
        "event",
        "instance_events",
        "waits for external events of instances",
        (EVENT,),
    ),
    Hook(
        "timed",
        "timed_callables",
        "functions that an operator names",
        (TIMED,),
        takes="timed_callables",
        is_choice=False,
    ),
    Hook(
        "lock",
        "lock_waits",
        "waiting for locks",
        (LOCK,),
        counts=(Count("locks", "lock", " taken"),),
    ),
    Hook(
        "log",
        "log_handlers",
        "log handlers that take long",
        (LOG,),
        counts=(Count("log_records", "message", " logged"),),
    ),
    Hook(
        "policy",
        "policy_checks",
        "counts checks of policy",
        counts=(Count("policy_checks", "check", " of policy"),),
    ),
    Hook(
        "gc",
        "garbage_collections",
        "full garbage collections",
        (GC,),
        is_process_wide=True,
    ),
    Hook(
        "pool",
        "pool_waits",
        "waiting for workers of executors; needs threads",
        (POOL,),
    ),
)

GROUPS = tuple(group for hook in HOOKS for group in hook.groups)
BY_NAME = {group.name: group for group in GROUPS}

# A lane has its counts in this order.
COUNTS = tuple(count for hook in HOOKS for count in hook.counts)
COUNT_PLACES = {count.name: place for place, count in enumerate(COUNTS)}

# What no group claims.
WAITING = Bucket("waiting", "waiting, not on the CPU", "yellow")
PYTHON = Bucket("python", "Python, the rest", "blue")
# Both of these in a request without a CPU clock of its own: eventlet's
# greenthreads share one. ``RequestRecord.parts_ms`` has it instead of PYTHON.
EITHER = Bucket(
    "either", "running or waiting: no clock can tell", "blue", since=3
)
BUCKETS = (*(group.bucket for group in GROUPS), WAITING, PYTHON, EITHER)
LABELS = {bucket.name: bucket.label for bucket in BUCKETS}
COLORS = {bucket.name: bucket.color for bucket in BUCKETS}


class Unnamed(NamedTuple):
    """A part of the waiting that no group claims: in ``unnamed_ms``."""

    name: str
    label: str


PROCESSOR = Unnamed("processor", "in line for a processor")
NOT_PROCESSOR = Unnamed("other", "for the GIL, or for what no hook names")
UNSPLIT = Unnamed("unsplit", "not known which of these")
UNNAMED = (PROCESSOR, NOT_PROCESSOR, UNSPLIT)

DRIVER_GROUPS = tuple(group.name for group in GROUPS if group.kind == DRIVER)
# Requests to other services, whose replies have ids of their own.
HTTP_GROUPS = (HTTP.name, IDENTITY.name)
# Those whose calls have names, in metrics and in a record's ``calls``; and
# those of which only the sum is known.
NAMED_GROUPS = tuple(group for group in GROUPS if group.metric)
SUMMED_GROUPS = tuple(group for group in GROUPS if not group.metric)
LOG_LINE_GROUPS = tuple(
    sorted(
        (group for group in GROUPS if group.log_line_place),
        key=lambda group: group.log_line_place,
    )
)
