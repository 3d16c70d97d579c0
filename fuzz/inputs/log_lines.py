# SPDX-License-Identifier: Apache-2.0
"""A line of each form, and pieces of lines that repeated fit almost."""

from __future__ import annotations

import json

ID = "req-6ec84648-93a7-4e51-8d02-b0d2a2b0b2d0"
STAMP = "2026-11-21 10:35:01.123"
PREFIX = f"{STAMP} 1 INFO nova.osapi_compute.wsgi.server [{ID} u p - - -] "
WSGI = '10.0.0.1 "GET /v2.1/servers HTTP/1.1" status: 200 len: 1 time: 0.2'
FORMS = {
    "log_requests": f"{STAMP} 1 INFO nova_profiler.requests [{ID} u p - - -] "
    "GET /v2.1/servers 200 3.4 ms, db_api 15 calls 840.0 ms 26.9 %, "
    "sql 22 calls 188.3 ms, user=demo project=demo",
    "wsgi.server": PREFIX + WSGI,
    "requestlog": PREFIX + WSGI.replace(" time", " microversion: 2.1 time"),
    "eventlet": PREFIX + "10.0.0.1 - - [13/Dec/2014 17:12:23] "
    '"POST /v1/images HTTP/1.1" 400 396 31.553426',
    "uwsgi": "[pid: 15083|app: 0|req: 77/156] 10.0.0.1 () {60 vars in 1234 "
    "bytes} [Sat Nov 21 10:35:01 2026] GET /v2.1/servers => generated 389 "
    "bytes in 17 msecs (HTTP/1.1 200) 9 headers in 358 bytes",
    "apache": "10.0.0.1 - - [21/Nov/2026:10:35:01 +0000] "
    '"GET /v3/users HTTP/1.1" 200 123 "-" "agent" 12345(us)',
    "kolla": "10.0.0.1 - - [21/Nov/2026:10:35:01 +0000] "
    '"GET /v3/users HTTP/1.1" 200 123 12345 "-" "agent"',
    "uwsgi, memory": "{address space usage: 512409600 bytes/488MB} {rss "
    "usage: 130 "
    "bytes/0MB} [pid: 32|app: 0|req: 1/2] 203.0.113.7, 10.0.0.250 "
    "(admin) {46 vars in 902 bytes} [Mon Feb  5 10:00:04 2024] POST "
    "/v2.1/servers => generated 380 bytes in 8123 micros (HTTP/2.0 202)"
    " 11 headers in 470 bytes (2 switches on core 0)",
    "nginx": '198.51.100.7 - - [12/Mar/2023:10:00:01 +0000] "GET '
    '/v2.1/servers/detail HTTP/2.0" 200 18930 3.412 "-" '
    '"python-novaclient" "203.0.113.20"',
    "ingress": '192.0.2.14 - - [02/May/2024:07:30:03 +0000] "POST '
    "/v2.1/servers "
    'HTTP/1.1" 504 160 "-" "sdk" 1720 60.001 '
    "[openstack-nova-api-n-api-pub] [] 10.244.1.17:8774, "
    "10.244.2.9:8774 0, 160 30.000, 30.001 504, 504 "
    "0123456789abcdef0123456789abcdef",
    "haproxy": "2001:db8::15:48140 [14/Mar/2024:09:27:24.400] nova_api_front~ "
    "nova_api_back/ctl-3 2/0/1/900/903 202 194 - - ---- "
    '910/612/401/100/0 0/0 {req-1} "POST /v2.1/servers HTTP/1.1"',
    "tempest": "2024-06-18 13:18:42.100 28 INFO "
    "tempest.lib.common.rest_client "
    "[req-7e465212-6160-4dab-9d38-6c06e8cafbcc ] Request "
    "(ServersTest:setUp): 200 GET "
    "https://nova.test:8774/v2.1/servers/detail 0.412s",
    "rally": '2026-11-21T10:35:01.123456+00:00 rally "nova.boot_server" '
    "6.250000 s",
    "osprofiler": "2026-11-21T10:35:01.123456+00:00 osprofiler nova/api "
    '"GET /v2.1/servers" 200 0.500000 s of the service 0.250000 s',
    "begin": f"{STAMP} 1 INFO cinder.api.openstack.wsgi [{ID} u p - - -] "
    "GET https://volume.test:8776/v3/volumes",
    "viewer": f"nova-api-0 api {PREFIX}{WSGI}",
    "syslog": "Sep 05 09:02:05 host devstack@n-api.service[15067]: INFO "
    f"nova.api.openstack.requestlog [None {ID} demo demo] {WSGI}",
    "RFC 5424": "<134>1 2026-11-21T10:35:01.123Z host nova-api 1 - "
    f'[a b="c"] {PREFIX}{WSGI}',
    "journald": json.dumps(
        {
            "MESSAGE": PREFIX + WSGI,
            "__REALTIME_TIMESTAMP": "1795257301000000",
            "_SYSTEMD_UNIT": "devstack@n-api.service",
            "_HOSTNAME": "host",
        }
    ),
    "oslo JSON": json.dumps(
        {
            "message": WSGI,
            "name": "nova.osapi_compute.wsgi.server",
            "created": 1.5,
            "time": STAMP,
            "context": {"request_id": ID, "user": "u", "project": "p"},
        }
    ),
}
# Pieces of lines, which repeated make a text that fits almost.
UNITS = (
    ' |a|[|]|(|{|}|"|\'|\\|\\"|0|9.|/|-|:|.|,|\t|%|=|_|@|é|\u2028|\x1b[|'
    '[00;3|\x1b[0;| status: |" status: 200 len: | - - [| => generated |'
    " => generated 1 bytes in 1 msecs | project=| project= | user=|, user=|"
    " 200 3.4 ms|, db_api 1 calls 1 ms|, a 1 calls 1 ms 1 %|/servers/|a/1/|"
    '{"|<1>|2026-11-21 |2026-11-21 10:35:01 |Sep 05 09:02:05 h u: |INFO a |'
    'req-| 1(us)| HTTP/1.1|] "|[a b="c"]|a. |[ |-20260101|.gz|[[]'
).split("|") + ["|"]

_LENGTHS = (32_000, 64_000)


def repeated(before: str, unit: str, after: str) -> tuple[bytes, bytes]:
    """Return a line with many of *unit* in it, and with twice as many."""
    once, twice = (
        (before + unit * (length // len(unit)) + after).encode()
        for length in _LENGTHS
    )
    return once, twice
