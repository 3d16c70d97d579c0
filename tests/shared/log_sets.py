# SPDX-License-Identifier: Apache-2.0
"""Sets of logs as people post them, made up; figures worked out by hand.

Each function returns the lines of files by name.
"""

from __future__ import annotations

import json

USER = "0123456789abcdef0123456789abcdef"
PROJECT = "fedcba9876543210fedcba9876543210"
VOLUME = "5f0c7a10-aaaa-4bbb-8ccc-000000000001"
SERVER = "5f0c7a10-aaaa-4bbb-8ccc-000000000002"
WSGI = "nova.osapi_compute.wsgi.server"
EVENTLET = "eventlet.wsgi.server"
REQUESTLOG = "nova.api.openstack.requestlog"

Files = dict[str, list[str]]


def req(number: int) -> str:
    """Return a request id."""
    return f"req-7a7a7a7a-0000-4000-8000-{number:012d}"


def line(
    clock: str,
    logger: str,
    ids: str,
    message: str,
    *,
    pid: int = 17,
    level: str = "INFO",
) -> str:
    """Return a line of oslo.log of one day."""
    return (
        f"2026-03-04 {clock} {pid} {level} {logger} "
        f"[{ids} {USER} {PROJECT} - default default] {message}"
    )


def asked(request: str, status: int, seconds: float, size: int = 700) -> str:
    """Return the message in which eventlet's server logs a request."""
    return (
        f'192.0.2.7 "{request} HTTP/1.1" status: {status}  len: {size} '
        f"time: {seconds:.7f}"
    )


def logged(request: str, status: int, seconds: float, size: int = 700) -> str:
    """Return the message in which requestlog logs a request."""
    return (
        f'192.0.2.7 "{request}" status: {status} len: {size} '
        f"microversion: 2.90 time: {seconds:.6f}"
    )


def begin_and_end() -> Files:
    """Return manila's two lines a request, and Apache's without a time."""
    logger = "manila.api.openstack.wsgi"
    url = f"https://share.test:8786/v2/{PROJECT}/shares"
    return {
        "manila-api.log": [
            line("08:00:00.250", logger, req(1), f"GET {url}/detail"),
            line("08:00:01.000", logger, req(2), f"POST {url}", pid=18),
            line(
                "08:00:01.750",
                logger,
                req(2),
                f"{url} returned with HTTP 202",
                pid=18,
            ),
            line(
                "08:00:02.500",
                logger,
                req(1),
                f"{url}/detail returned with HTTP 200",
            ),
        ],
        "manila_access.log": [
            "192.0.2.7 - - [04/Mar/2026:08:00:00 +0000] "
            f'"GET /v2/{PROJECT}/shares/detail HTTP/1.1" 200 48 "-" "curl"',
        ],
    }


def collectors() -> Files:
    """Return one line of nova-api from each of several collectors."""
    texts = [
        line(
            f"08:00:{number:02d}.000",
            WSGI,
            req(number),
            asked(f"GET /v2.1/{what}", 200, number / 10),
        )
        for number, what in enumerate(
            ["servers", "flavors", "images", "limits", "os-keypairs"], 1
        )
    ]
    records: Files = {
        "beat.ndjson": [
            json.dumps({"message": texts[0], "log": {"file": {
                "path": "/var/log/nova/nova-api.log"}}})
        ],
        "vector.ndjson": [
            json.dumps({"message": texts[1], "source_type": "file",
                        "file": "/var/log/nova/nova-api.log"})
        ],
        "logcli.jsonl": [
            json.dumps({"line": texts[2], "labels": {
                "container": "nova-osapi"}, "timestamp": "2026-03-04"})
        ],
        "splunk.json": [
            json.dumps({"preview": False, "result": {
                "_raw": texts[3], "source": "/var/log/nova/nova-api.log"}})
        ],
        "gelf.json": [
            json.dumps({"version": "1.1", "short_message": texts[4],
                        "_container_name": "nova_api"})
        ],
    }  # fmt: skip
    return records


def coloured(esc: str = "\x1b") -> Files:
    """Return devstack's coloured lines; *esc* is how ESC is written."""
    colour, end = f"{esc}[01;36m", f"{esc}[00m"
    blue = f"{esc}[00;36m"

    def shown(clock: str, unit: str, logger: str, ids: str, text: str) -> str:
        return (
            f"Mar 04 {clock} np1 devstack@{unit}.service[44]: {blue}INFO "
            f"{logger} [{colour}{ids} {blue}demo demo{blue}] "
            f"{colour}{blue}{text}{end}"
        )

    return {
        "n-api.txt": [
            shown("08:00:01.000000", "n-api", "nova.api.openstack.wsgi",
                  f"None {req(1)}", "Action: 'create'"),
            shown("08:00:04.000000", "n-api", REQUESTLOG, f"None {req(1)}",
                  logged("POST /compute/v2.1/servers", 202, 3.2)),
        ],
        "q-svc.txt": [
            shown("08:00:01.300000", "q-svc", "neutron.api.v2.base",
                  f"{req(1)} {req(2)}", "Request body: {}"),
            shown("08:00:03.500000", "q-svc", "neutron.wsgi",
                  f"{req(1)} {req(2)}",
                  asked("POST /networking/v2.0/ports", 201, 2.25)),
        ],
    }  # fmt: skip


def callers_id() -> Files:
    """Return glance's lines under the id of cinder, its caller."""

    def images(clock: str, what: str, seconds: float) -> str:
        return line(
            clock,
            EVENTLET,
            req(1),
            f"192.0.2.9 - - [04/Mar/2026 {clock[:8]}] "
            f'"GET /v2/{what} HTTP/1.1" 200 815 {seconds:.6f}',
            pid=31,
        )

    return {
        "cinder/cinder-api.log": [
            line("08:00:00.300", "cinder.api.v3.volumes", req(1), "Create"),
            line("08:00:03.000", EVENTLET, req(1),
                 asked(f"POST /v3/{PROJECT}/volumes", 202, 3.0)),
        ],
        "glance/glance-api.log": [
            images("08:00:00.500", f"images/{VOLUME}", 0.1),
            images("08:00:02.000", "schemas/image", 1.2),
            images("08:00:02.600", f"images/{VOLUME}", 0.5),
        ],
    }  # fmt: skip


def before_haproxy() -> Files:
    """Return haproxy's lines, and requestlog's of two of three calls."""

    def shown(at: str, times: str, status: int, request: str, end: str) -> str:
        return (
            "Mar  4 08:00:59 ctl haproxy[9]: 2001:db8::7:4822 "
            f"[04/Mar/2026:{at}] nova_api_front~ nova_api_back/ctl-1 {times} "
            f'{status} 900 - - {end} 1/1/1/1/0 0/0 "{request} HTTP/1.1"'
        )

    return {
        "haproxy.log": [
            shown("08:00:00.000", "0/0/1/200/203", 200,
                  "GET /v2.1/servers/detail", "----"),
            shown("08:00:05.000", "0/9000/1/700/9703", 202,
                  "POST /v2.1/servers", "----"),
            shown("08:00:20.000", "0/0/1/-1/30001", 504,
                  f"GET /v2.1/servers/{SERVER}/os-interface", "sH--"),
        ],
        "nova-api.log": [
            line("08:00:00.201", REQUESTLOG, req(1),
                 logged("GET /v2.1/servers/detail", 200, 0.198)),
            line("08:00:14.701", REQUESTLOG, req(2),
                 logged("POST /v2.1/servers", 202, 0.697)),
        ],
    }  # fmt: skip


def ingress() -> Files:
    """Return lines of ingress-nginx, one of two tries."""
    return {
        "ingress.log": [
            '192.0.2.7 - - [04/Mar/2026:08:00:01 +0000] "GET /v2.1/servers '
            'HTTP/1.1" 200 900 "-" "sdk" 512 1.500 '
            "[openstack-nova-api-n-api] [] 10.1.1.1:8774 900 1.499 200 "
            "0123456789abcdef0123456789abcdef",
            '192.0.2.7 - - [04/Mar/2026:08:00:31 +0000] "POST /v2.1/servers '
            'HTTP/1.1" 504 160 "-" "sdk" 99 20.002 '
            "[openstack-nova-api-n-api] [] 10.1.1.1:8774, 10.1.1.2:8774 "
            "0, 160 10.000, 10.002 504, 504 "
            "0123456789abcdef0123456789abcdee",
        ]
    }


def nginx_seconds() -> Files:
    """Return nginx's seconds directly behind the size."""
    return {
        "access.log": [
            f'192.0.2.7 - - [04/Mar/2026:08:00:0{n} +0000] "GET /v2.1/{what} '
            f'HTTP/2.0" 200 100 {seconds} "-" "client" "-"'
            for n, (what, seconds) in enumerate(
                [("servers", "2.250"), ("flavors", "0.050")]
            )
        ]
    }


def no_stamps() -> Files:
    """Return a service's output without times, with a traceback."""

    def shown(level: str, ids: str, text: str) -> str:
        return f"{level} nova.compute.manager [{ids}] {text}"

    return {
        "n-cpu.log": [
            shown("INFO", req(1), "Building"),
            shown("INFO", req(2), "Another"),
            shown("ERROR", req(1), "Build failed"),
            "ERROR nova.compute.manager [instance: x] Traceback (most recent "
            "call last):",
            'ERROR nova.compute.manager [instance: x]   File "a.py", line 1',
            "INFO nova.compute.claims [-] Free",
        ]
    }


def viewers() -> Files:
    """Return one call each behind the prefix of a viewer, and uWSGI's."""

    def shown(n: int, what: str, seconds: float) -> str:
        return line(
            f"08:00:0{n}.000",
            REQUESTLOG,
            f"None {req(n)}",
            logged(f"GET /v2.1/{what}", 200, seconds),
        )

    return {
        "stern.txt": [
            "nova-api-osapi-5f6 nova-osapi " + shown(1, "servers", 2.0),
            "nova-api-osapi-5f6 nova-osapi [pid: 17|app: 0|req: 3/9] "
            "192.0.2.7 () {44 vars in 850 bytes} [Wed Mar  4 07:59:59 2026] "
            "GET /v2.1/servers => generated 700 bytes in 2001 msecs "
            "(HTTP/1.1 200) 9 headers in 352 bytes (1 switches on core 0)",
        ],
        "zuul.txt": [
            "2026-03-04 08:00:02.100000 | controller | "
            + shown(2, "flavors", 0.5)
        ],
        "swarm.txt": [
            "nova_api.1.abcdefabcdef@node1    | " + shown(3, "images", 0.25)
        ],
        "pods.txt": [
            "[pod/nova-api-osapi-5f6/nova-osapi] " + shown(4, "limits", 0.125)
        ],
    }  # fmt: skip


def copies() -> Files:
    """Return a log, its rotated copy and docker's JSON of it."""
    texts = [
        line(f"08:00:0{n}.000", WSGI, req(n),
             asked("GET /v2.1/servers", 200, n / 10))
        for n in (1, 2)
    ]  # fmt: skip
    return {
        "nova-api.log": texts,
        "nova-api.log.1": texts,
        "docker.json": [
            json.dumps({"log": text + "\n", "stream": "stdout",
                        "time": "2026-03-04T08:00:09.1Z"})
            for text in texts
        ],
    }  # fmt: skip


def clients() -> Files:
    """Return tempest's own log of two calls."""
    logger = "tempest.lib.common.rest_client"
    return {
        "tempest.log": [
            f"2026-03-04 08:00:09.000 5 INFO {logger} [{req(1)} ] Request "
            "(ServersTest:setUp): 202 POST https://compute.test:8774/v2.1/"
            "servers 4.500s",
            f"2026-03-04 08:00:09.001 5 DEBUG {logger} [{req(1)} ] Request - "
            "Headers: {}",
            f"2026-03-04 08:00:10.000 5 INFO {logger} [{req(2)} {req(2)} ] "
            "Request (ServersTest:test_list): 200 GET "
            "https://compute.test:8774/v2.1/servers 0.750s",
        ]
    }


def uwsgi_options() -> Files:
    """Return uWSGI's lines with its options, and a harakiri."""
    rest = "(HTTP/1.1 200) 9 headers in 352 bytes (1 switches on core 0)"
    return {
        "nova-api-uwsgi.log": [
            "{address space usage: 5 bytes/0MB} {rss usage: 5 bytes/0MB} "
            "[pid: 3|app: 0|req: 1/1] 192.0.2.7 (admin) {42 vars in 8 bytes} "
            "[Wed Mar  4 08:00:00 2026] GET /v2.1/servers => generated 5 "
            f"bytes in 1250 msecs {rest}",
            "[pid: 4|app: 0|req: 1/2] 203.0.113.9, 10.0.0.1 () {42 vars in 8 "
            "bytes} [Wed Mar  4 08:00:01 2026] GET /v2.1/flavors => generated "
            f"5 bytes in 4000 micros {rest}",
            "Wed Mar  4 08:01:10 2026 - *** HARAKIRI ON WORKER 2 (pid: 4) ***",
            "Wed Mar  4 08:01:10 2026 - HARAKIRI: -- wait event on worker 2 > "
            "192.0.2.7 - GET /v2.1/servers/detail since 1772611210",
            "DAMN ! worker 2 (pid: 4) died, killed by signal 9 :( trying",
        ]
    }


def lookups() -> Files:
    """Return neutron's answers to names that are not there."""
    return {
        "neutron-server.log": [
            line(f"08:00:0{n}.000", "neutron.wsgi", req(n),
                 asked(f"GET {path}", 404, 0.1 * n))
            for n, path in enumerate(
                ["/wp-login.php", "/v2.0/networks/private",
                 "/v2.0/subnets/tempest-subnet-100000001"], 1
            )
        ]
    }  # fmt: skip


def containers_output() -> Files:
    """Return other servers' lines between those of a request."""
    return {
        "nova-api.log": [
            line("08:00:00.000", "nova.api.openstack.wsgi", req(1),
                 "HTTP exception thrown: gone"),
            "[pid: 8|app: 0|req: 1/1] 192.0.2.9 () {36 vars in 7 bytes} [Wed "
            "Mar  4 07:59:59 2026] GET /v2.1/flavors => generated 16 bytes in "
            "500 msecs (HTTP/1.1 200) 9 headers in 3 bytes",
            '192.0.2.9 - - [04/Mar/2026:08:00:00 +0000] "GET /v2.1/flavors '
            'HTTP/1.1" 200 16 "-" "curl"',
            line("08:00:00.010", REQUESTLOG, req(1),
                 logged(f"GET /v2.1/servers/{SERVER}", 404, 0.3)),
        ]
    }  # fmt: skip


def packages() -> Files:
    """Return the logs of one volume, named as RPM packages name them."""

    def shown(clock: str, logger: str, text: str, pid: int) -> str:
        return line(clock, logger, req(1), text, pid=pid)

    return {
        "cinder/api.log": [
            shown("08:00:00.500", "oslo_policy.x", "Reloading", 21),
            shown("08:00:02.000", EVENTLET,
                  asked(f"POST /v3/{PROJECT}/volumes", 202, 2.0), 21),
        ],
        "cinder/scheduler.log": [
            shown("08:00:02.100", "oslo_concurrency.lockutils", "Lock", 22),
            shown("08:00:02.300", "cinder.scheduler.x", "Filtered", 22),
        ],
        "cinder/volume.log": [
            shown("08:00:02.400", "cinder.volume.flows.manager.x", "In", 23),
            shown("08:00:07.400", "oslo_concurrency.x", "CMD", 23),
        ],
        "glance/api.log": [
            shown("08:00:01.800", EVENTLET,
                  "192.0.2.9 - - [04/Mar/2026 08:00:01] "
                  f'"GET /v2/images/{VOLUME} HTTP/1.1" 200 815 0.900000', 24),
        ],
    }  # fmt: skip


def left_over_id() -> Files:
    """Return a request, and periodic tasks under its id a minute later."""
    task = "Running periodic task SchedulerManager._run"
    return {
        "nova-api.log": [
            line("08:00:02.000", WSGI, req(1),
                 asked(f"POST /v2.1/{PROJECT}/servers", 202, 2.0)),
        ],
        "nova-scheduler.log": [
            line("08:00:02.500", "nova.scheduler.manager", req(1), "Starting",
                 pid=31),
            line("08:00:03.500", "nova.scheduler.x", req(1), "Selected",
                 pid=31),
            line("08:01:02.500", "oslo_service.periodic_task", req(1), task,
                 pid=31, level="DEBUG"),
            line("08:01:02.600", "nova.scheduler.host_manager", req(1),
                 "Updated", pid=31),
        ],
    }  # fmt: skip


def late_reply(message: str = "00aa" * 8) -> Files:
    """Return a call by RPC that timed out, and what became of its reply."""
    timeout = f"Timed out waiting for a reply to message ID {message}"
    return {
        "cinder-api.log": [
            line("08:01:00.000", "cinder.api.middleware.fault", req(1),
                 f"Caught error: {timeout}", level="ERROR"),
            line("08:01:00.000", EVENTLET, req(1),
                 asked(f"PUT /v3/{PROJECT}/attachments/{VOLUME}", 500, 60.0)),
        ],
        "cinder-volume.log": [
            "2026-03-04 08:01:00 WARNING oslo_messaging._drivers.amqpdriver "
            f"reply_1 doesn't exist, drop reply to {message}",
            "2026-03-04 08:01:00 ERROR oslo_messaging._drivers.amqpdriver "
            f"The reply {message} failed to send after 60 seconds",
        ],
    }  # fmt: skip


def clock_behind() -> Files:
    """Return a request that nova-compute's clock has 4 s before its begin."""
    return {
        "nova-api.log": [
            line("08:00:12.000", WSGI, req(1),
                 asked(f"POST /v2.1/servers/{SERVER}/action", 202, 2.0)),
        ],
        "nova-compute.log": [
            line("08:00:06.000", "nova.compute.manager", req(1), "Rebuilding",
                 pid=41),
        ],
    }  # fmt: skip


def local_times() -> Files:
    """Return a host's local stamps beside stamps with their zone."""
    return {
        "nova-api.log": [
            line("16:00:02.000", WSGI, req(1),
                 asked(f"POST /v2.1/servers/{SERVER}/action", 400, 2.0)),
            line("16:00:02.500", "nova.api.openstack.wsgi", req(1),
                 "HTTP exception thrown: 无效的卷"),
        ],
        "keystone_access.log": [
            '192.0.2.7 - - [04/Mar/2026:16:00:00 +0800] "GET /v3/users HTTP/'
            '1.1" 200 5 "-" "client" 500000(us)',
        ],
    }  # fmt: skip


def pool_is_full() -> Files:
    """Return a wait before the first line, a traceback and a cut line."""
    error = "2026-03-04 08:00:30.000 17 ERROR nova.api.openstack.wsgi"
    return {
        "nova-api.log": [
            line("08:00:30.000", "nova.api.openstack.wsgi", req(1),
                 "Unexpected: QueuePool limit", level="ERROR"),
            f"{error} Traceback (most recent call last):",
            f"{error}   File \"a.py\", line 1, in f",
            line("08:00:30.002", "nova.api.openstack.wsgi", req(1),
                 "HTTP exception thrown: Unexpected API Error."),
            "<class 'sqlalchemy.exc.TimeoutError'>",
            line("08:00:30.010", WSGI, req(1),
                 asked("GET /v2.1/servers/detail", 500, 30.0)),
            line("08:00:31.000", WSGI, req(2),
                 asked("GET /v2.1/servers/detail", 200, 1.0))[:-40],
        ]
    }  # fmt: skip
