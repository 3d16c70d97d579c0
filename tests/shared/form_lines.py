# SPDX-License-Identifier: Apache-2.0
"""A line of each form, as it was found in public logs or as it is defined.

Beside each: service, method, route, status, ms, bytes and user, read by eye.
"""

from __future__ import annotations

import json

from builders import slow_rebuild

REQ = "req-7e465212-6160-4dab-9d38-6c06e8cafbcc"
OTHER_REQ = "req-22222222-6160-4dab-9d38-6c06e8cafbcc"
GLOBAL = "req-11111111-6160-4dab-9d38-6c06e8cafbcc"
USER = "113d3a99c3da401fbd62cc2caa5b96d2"
PROJECT = "54fadb412c4e40cdbaed9335e4c35a9e"

EVENTLET = (
    "2014-12-13 17:12:23.435 15136 INFO eventlet.wsgi.server [-] "
    "10.224.147.162 - - [13/Dec/2014 17:12:23] "
    '"POST /v1/images HTTP/1.1" 400 396 31.553426'
)
GRIZZLY = (
    "2014-01-08 11:15:15.704 INFO nova.ec2.wsgi.server "
    "[req-ccac9790-3357-4aa8-84bd-cdaab1aa394e "
    "ebbd729575cb404081a45c9ada0849b7 8175953c209044358ab5e0ec19d52c37] "
    '117.103.103.29 "GET /services/Cloud?AWSAccessKeyId=[something]'
    '&Action=RunInstances HTTP/1.1" status: 200 len: 931 time: 3.9426181'
)
HAVANA = (
    "2014-01-10 09:11:45.072 129745 INFO nova.ec2.wsgi.server "
    "[req-84d16d16-3808-426b-b7af-3b90a11b83b0 "
    "0c6e7dba03c24c6a9bce299747499e8a 7052bd6714e7460caeb16242e68124f9] "
    '117.103.103.29 "GET /services/Cloud?Action=x HTTP/1.1" status: 200 '
    "len: 1109 time: 138.5970151"
)
WITH_FILE_NAME = (
    "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO "
    "nova.osapi_compute.wsgi.server [req-38101a0b-2096-447d-96ea-a692162415ae"
    f" {USER} {PROJECT} - - -] 10.11.10.1 "
    f'"GET /v2/{PROJECT}/servers/detail HTTP/1.1" status: 200 len: 1893 '
    "time: 0.2477829"
)
TWO_ADDRESSES = (
    "2016-12-07 03:53:55.873 24 INFO nova.osapi_compute.wsgi.server "
    "[req-0c0b761c-47b0-4bf5-832c-89ef048fa56a "
    "fa2b2986c200431b8119035d4a47d420 b1ad1df9062a4fc682904c6c9b0f4e98 "
    "- default default] 10.91.126.38,10.0.0.1 "
    '"GET /v2.1/b1ad1df9062a4fc682904c6c9b0f4e98/extensions HTTP/1.1" '
    "status: 200 len: 23011 time: 0.4711170"
)
NO_CONTEXT = (
    "2022-03-22 09:23:49.121 2720 INFO nova.osapi_compute.wsgi.server [-] "
    '192.168.137.11 "GET /v2.1/os-services HTTP/1.1" status: 503 len: 498 '
    "time: 0.0100830"
)
SLOW_ACTION = (
    "2021-09-24 14:16:46.181 2289 INFO nova.osapi_compute.wsgi.server "
    "[req-ba341f5a-8855-4a67-8d69-585ae4dc2184 "
    "9942eb4321644336a0c7383d9f1c2bed a7d812868cb74f1a978035530f55f1d0 "
    "- default default] 192.168.112.146 "
    '"POST /v2.1/servers/ac91ed2c-6c0e-4865-afcf-2b1b9fcb5485/action '
    'HTTP/1.1" status: 400 len: 600 time: 2.9914739'
)
STARTING_UP = (
    "2016-12-06 09:21:08.488 20 INFO nova.osapi_compute.wsgi.server "
    "[req-67440a41-6667-4e07-b546-fa336ab5c3af - - - - -] (20) wsgi starting "
    "up on http://10.0.0.1:8774"
)
REQUESTLOG = (
    "2019-07-25 08:48:57.448 22 INFO nova.api.openstack.requestlog "
    "[req-9d369ea4-1812-4aee-b334-fdb0aa9ddd27 "
    "7a59ab2d44ff4d5ba9be756d6e1fe199 902e2a271f844f189dc61719ab44bc22 "
    '- default default] 192.168.24.1 "OPTIONS /" status: 200 len: 405 '
    "microversion: - time: 0.001091"
)
REQUESTLOG_NO_SIZE = (
    "2019-07-25 08:48:58.000 22 INFO nova.api.openstack.requestlog "
    "[req-9d369ea4-1812-4aee-b334-fdb0aa9ddd28 "
    "7a59ab2d44ff4d5ba9be756d6e1fe199 902e2a271f844f189dc61719ab44bc22 "
    '- default default] 192.168.24.1 "GET /v2.1" status: 302 len: None '
    "microversion: - time: 0.489079"
)
JOURNALD = (
    "Sep 05 09:02:05 leg-004 devstack@n-api.service[15067]: INFO "
    f"nova.api.openstack.requestlog [None {REQ} admin-project admin-user] "
    '85.10.193.66 "GET /compute/v2.1/" status: 200 len: 389 microversion: '
    "2.1 time: 0.016996"
)
UWSGI = (
    "Sep 05 09:02:05 leg-004 devstack@n-api.service[15067]: [pid: 15083|"
    "app: 0|req: 77/156] 85.10.193.66 () {60 vars in 1171 bytes} "
    "[Tue Sep  5 09:02:05 2017] GET /compute/v2.1/ => generated 389 bytes "
    "in 17 msecs (HTTP/1.1 200) 9 headers in 357 bytes "
    "(2 switches on core 0)"
)
GLOBAL_ID = (
    "2024-03-01 12:00:00.500 7 INFO nova.osapi_compute.wsgi.server "
    f"[{GLOBAL} {OTHER_REQ} {USER} {PROJECT} - - default default] 10.0.0.9 "
    '"DELETE /v2.1/servers/ac91ed2c-6c0e-4865-afcf-2b1b9fcb5485 HTTP/1.1" '
    "status: 204 len: 203 time: 0.2500000"
)
DEVSTACK_APACHE = (
    '10.0.0.7 - - [21/Nov/2026:10:35:01 +0100] "GET /identity/v3/users '
    'HTTP/1.1" 200 123 "-" "python-keystoneclient" 12345(us)'
)
KOLLA_APACHE = (
    "10.0.0.7, 10.0.0.1 - - [21/Nov/2026:10:35:02 +0000] "
    '"POST /v3/auth/tokens HTTP/1.1" 201 5000 98765 "-" "curl \\"7\\""'
)
OUR_TEXT = (
    "2026-11-21 10:35:03.123 7 INFO nova_profiler.requests "
    f"[None {REQ[:-1]}d {USER} {PROJECT} - - default default] "
    "GET /v2.1/servers/detail 200 3117.4 ms, db_api 15 calls 840.0 ms "
    "26.9 %, sql 22 calls 188.3 ms, user=demo project=demo-project"
)


def log_file_line(**more: object) -> str:
    """Return a line as the option log_file makes it."""
    fields = {**slow_rebuild().to_dict(), **more}
    fields.pop("timeline", None)
    fields.pop("statements", None)
    return json.dumps({"@timestamp": "x", "@version": "1", **fields})


def oslo_json(name: str, message: str, **more: object) -> str:
    """Return a line as oslo.log's JSONFormatter makes it."""
    fields = {
        "message": message,
        "asctime": "2026-11-21 10:35:04",
        "name": name,
        "msg": message,
        "args": {},
        "levelname": "INFO",
        "levelno": 20,
        "process": 7,
        "created": 1795257304.25,
        "hostname": "controller1",
        "context": {
            "request_id": REQ[:-1] + "a",
            "global_request_id": None,
            "user_id": USER,
            "user_name": "ann",
            "project_id": PROJECT,
            "project_name": "staff",
        },
        "extra": {},
        **more,
    }
    return json.dumps(fields)


JSON_REQUESTLOG = oslo_json(
    "nova.api.openstack.requestlog",
    '10.0.0.9 "GET /v2.1/flavors" status: 200 len: 77 microversion: 2.1 '
    "time: 0.050000",
    args={"time": 0.05},
)
FLUENT_WSGI_SERVER = json.dumps(
    {
        "message": '10.0.0.9 "GET /v2.1/limits HTTP/1.1" status: 200 '
        "len: 500 time: 0.0750000",
        "time": "2026-11-21 10:35:05,500",
        "name": "nova.osapi_compute.wsgi.server",
        "level": "INFO",
        "hostname": "controller1",
        "context": {},
        "extra": {},
    }
)

UWSGI_MEMORY = (
    "{address space usage: 512409600 bytes/488MB} {rss usage: 130 bytes/0MB} "
    "[pid: 32|app: 0|req: 1/2] 203.0.113.7, 10.0.0.250 (admin) {46 vars in "
    "902 bytes} [Mon Feb  5 10:00:04 2024] POST /v2.1/servers => generated "
    "380 bytes in 8123 micros (HTTP/2.0 202) 11 headers in 470 bytes "
    "(2 switches on core 0)"
)
NGINX = (
    '198.51.100.7 - - [12/Mar/2023:10:00:01 +0000] "GET /v2.1/servers/detail '
    'HTTP/2.0" 200 18930 3.412 "-" "python-novaclient" "203.0.113.20"'
)
INGRESS = (
    '192.0.2.14 - - [02/May/2024:07:30:03 +0000] "POST /v2.1/servers '
    'HTTP/1.1" 504 160 "-" "sdk" 1720 60.001 [openstack-nova-api-n-api-pub] '
    "[] 10.244.1.17:8774, 10.244.2.9:8774 0, 160 30.000, 30.001 504, 504 "
    "0123456789abcdef0123456789abcdef"
)
HAPROXY = (
    "2001:db8::15:48140 [14/Mar/2024:09:27:24.400] nova_api_front~ "
    "nova_api_back/ctl-3 2/0/1/900/903 202 194 - - ---- 910/612/401/100/0 "
    '0/0 {req-1} "POST /v2.1/servers HTTP/1.1"'
)
TEMPEST = (
    "2024-06-18 13:18:42.100 28 INFO tempest.lib.common.rest_client "
    f"[{REQ} ] Request (ServersTest:setUp): 200 GET "
    "https://nova.test:8774/v2.1/servers/detail 0.412s"
)
OPENSTACK_TIMING = (
    "| GET http://10.0.0.1:9696/v2.0/ports?device_id=1                     "
    "| 0.512345 |"
)

# What viewers put before a line, which no reader has to know.
VIEWERS = (
    "nova-api-osapi-7d9c nova-osapi ",
    "2016-12-07 03:53:56.058309 | controller | ",
    "nova_api.1.x1y2z3a4b5c6@node1    | ",
    "+ nova-api-0 › api ",
    "[api] ",
    "12:00:01 ",
)

# What may stand before a line, and the time that it tells of one without.
IN_FRONT = {
    # docker logs -t, kubectl logs --timestamps
    "2016-12-07T03:53:56.123456789Z ": "2016-12-07T03:53:56.123+00:00",
    "[pod/nova-api-0/api] 2016-12-07T03:53:56.1Z ": (
        "2016-12-07T03:53:56.100+00:00"
    ),
    # docker compose, with colours and with its -t
    "nova_api_1  | ": None,
    "\x1b[36mnova-api-1  |\x1b[0m ": None,
    "nova-api-1  | 2016-12-07T03:53:56.123456789Z ": (
        "2016-12-07T03:53:56.123+00:00"
    ),
    # syslog as it is sent
    "<30>Dec  7 03:53:56 ctl nova-api: ": "2016-12-07T03:53:56.000+00:00",
    "<30>2016-12-07T03:53:56.5+01:00 ctl nova-api[7]: ": (
        "2016-12-07T02:53:56.500+00:00"
    ),
    "<134>1 2016-12-07T03:53:56.123Z ctl nova-api 123 - - ": (
        "2016-12-07T03:53:56.123+00:00"
    ),
    '<134>1 2016-12-07T03:53:56.123Z ctl nova-api - ID [a@1 b="[\\]"][c] ': (
        "2016-12-07T03:53:56.123+00:00"
    ),
    "<134>1 - - nova-api - - - \ufeff": None,
    # journalctl -o short-full, with-unit, short-unix, short-monotonic
    "Wed 2016-12-07 03:53:56 UTC ctl nova-api[7]: ": (
        "2016-12-07T03:53:56.000+00:00"
    ),
    "Wed 2016-12-07 03:53:56 -03 ctl nova-api[7]: ": (
        "2016-12-07T06:53:56.000+00:00"
    ),
    "Wed 2016-12-07 03:53:56 CET ctl devstack@n-api.service/x.service[7]: ": (
        "2016-12-07T03:53:56.000+00:00"
    ),
    "1481082836.123456 ctl nova-api[7]: ": "2016-12-07T03:53:56.123+00:00",
    "[ 1234.567890] ctl nova-api[7]: ": None,
    # journalctl -o cat; the first line of a file from Windows; grep -H
    "": None,
    "\ufeff": None,
    "nova-api.log:Wed 2016-12-07 03:53:56 UTC ctl nova-api[7]: ": (
        "2016-12-07T03:53:56.000+00:00"
    ),
    "nova-api.log:1481082836.123456 ctl nova-api[7]: ": (
        "2016-12-07T03:53:56.123+00:00"
    ),
    "nova-api.log:<30>Dec  7 03:53:56 ctl nova-api: ": (
        "2016-12-07T03:53:56.000+00:00"
    ),
}

# form, service, method, route, status, ms, bytes, user, project
EXPECTED = {
    EVENTLET: (
        "eventlet", "nova-api", "POST", "/v1/images", 400, 31553.426, 396,
        "-", "-",
    ),
    GRIZZLY: (
        "wsgi.server", "nova-api", "GET", "/services/Cloud", 200, 3942.6181,
        931, "ebbd729575cb404081a45c9ada0849b7",
        "8175953c209044358ab5e0ec19d52c37",
    ),
    HAVANA: (
        "wsgi.server", "nova-api", "GET", "/services/Cloud", 200,
        138597.0151, 1109, "0c6e7dba03c24c6a9bce299747499e8a",
        "7052bd6714e7460caeb16242e68124f9",
    ),
    WITH_FILE_NAME: (
        "wsgi.server", "nova-api", "GET", "/v2/servers/detail", 200,
        247.7829, 1893, USER, PROJECT,
    ),
    TWO_ADDRESSES: (
        "wsgi.server", "nova-api", "GET", "/v2.1/extensions", 200, 471.117,
        23011, "fa2b2986c200431b8119035d4a47d420",
        "b1ad1df9062a4fc682904c6c9b0f4e98",
    ),
    NO_CONTEXT: (
        "wsgi.server", "nova-api", "GET", "/v2.1/os-services", 503, 10.083,
        498, "-", "-",
    ),
    SLOW_ACTION: (
        "wsgi.server", "nova-api", "POST", "/v2.1/servers/{id}/action", 400,
        2991.4739, 600, "9942eb4321644336a0c7383d9f1c2bed",
        "a7d812868cb74f1a978035530f55f1d0",
    ),
    REQUESTLOG: (
        "requestlog", "nova-api", "OPTIONS", "/", 200, 1.091, 405,
        "7a59ab2d44ff4d5ba9be756d6e1fe199",
        "902e2a271f844f189dc61719ab44bc22",
    ),
    REQUESTLOG_NO_SIZE: (
        "requestlog", "nova-api", "GET", "/v2.1", 302, 489.079, None,
        "7a59ab2d44ff4d5ba9be756d6e1fe199",
        "902e2a271f844f189dc61719ab44bc22",
    ),
    JOURNALD: (
        "requestlog", "nova-api", "GET", "/v2.1", 200, 16.996, 389,
        "admin-user", "admin-project",
    ),
    UWSGI: (
        "uwsgi", "nova-api", "GET", "/v2.1", 200, 17.0, 389, "-", "-",
    ),
    GLOBAL_ID: (
        "wsgi.server", "nova-api", "DELETE", "/v2.1/servers/{id}", 204,
        250.0, 203, USER, PROJECT,
    ),
    DEVSTACK_APACHE: (
        "apache", "nova-api", "GET", "/v3/users", 200, 12.345, 123, "-", "-",
    ),
    KOLLA_APACHE: (
        "apache", "nova-api", "POST", "/v3/auth/tokens", 201, 98.765, 5000,
        "-", "-",
    ),
    OUR_TEXT: (
        "log_requests", "nova-api", "GET", "/v2.1/servers/detail", 200,
        3117.4, None, "demo", "demo-project",
    ),
    log_file_line(): (
        "log_file", "nova-api", "POST", "/v2.1/servers/{id}/action", 202,
        3117.4, 1834, "TestServerDiskConfig-user", "TestServerDiskConfig",
    ),
    JSON_REQUESTLOG: (
        "requestlog, JSON", "nova-api", "GET", "/v2.1/flavors", 200, 50.0,
        77, "ann", "staff",
    ),
    FLUENT_WSGI_SERVER: (
        "wsgi.server, JSON", "nova-api", "GET", "/v2.1/limits", 200, 75.0,
        500, "-", "-",
    ),
}  # fmt: skip

# The same of forms of which no test counts the lines.
FURTHER = {
    UWSGI_MEMORY: (
        "uwsgi", "nova-api", "POST", "/v2.1/servers", 202, 8.123, 380, "-",
        "-",
    ),
    NGINX: (
        "nginx", "nova-api", "GET", "/v2.1/servers/detail", 200, 3412.0,
        18930, "-", "-",
    ),
    INGRESS: (
        "nginx", "nova-api", "POST", "/v2.1/servers", 504, 60001.0, 160, "-",
        "-",
    ),
    HAPROXY: (
        "haproxy", "nova-api", "POST", "/v2.1/servers", 202, 903.0, 194, "-",
        "-",
    ),
    OPENSTACK_TIMING: (
        "openstack --timing", "neutron-server", "GET", "/v2.0/ports", 0,
        512.345, None, "-", "-",
    ),
    TEMPEST: (
        "tempest", "nova-api", "GET", "/v2.1/servers/detail", 200, 412.0,
        None, "ServersTest:setUp", "-",
    ),
}  # fmt: skip
ALL = {**EXPECTED, **FURTHER}
