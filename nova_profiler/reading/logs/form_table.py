# SPDX-License-Identifier: Apache-2.0
"""All forms of lines, the preferred first.

A new form is one module in ``forms``, or in ``clients``, and one row of
``FORMS``.
"""

from __future__ import annotations

from nova_profiler.reading.logs.clients import (
    openstack_timing,
    osprofiler_requests,
    rally_actions,
    tempest_calls,
)
from nova_profiler.reading.logs.collectors.taken_apart import FIELDS_FORM
from nova_profiler.reading.logs.forms import (
    Form,
    access_logs,
    access_times,
    begin_and_end,
    eventlet_default,
    haproxy,
    own_log_lines,
    own_records,
    uwsgi_default,
    worker_losses,
    wsgi_server,
)
from nova_profiler.reading.logs.forms.stated_formats import STATED

# Of two lines about one request the form that comes first here is kept: it
# has more values, or more exact ones.
FORMS = (
    Form(
        (own_log_lines.LOG_LINE,),
        " ms",
        own_log_lines.entry_of,
        raw_mark=own_log_lines.LOGGER,
    ),
    Form(
        (
            wsgi_server.REQUESTLOG,
            wsgi_server.WSGI_SERVER,
            wsgi_server.METADATA_AGENT,
        ),
        '" status: ',
        wsgi_server.entry_of,
        with_headers=(wsgi_server.WSGI_SERVER, wsgi_server.METADATA_AGENT),
        outer=(wsgi_server.METADATA_AGENT,),
        raw_mark="status: ",
    ),
    Form(
        (eventlet_default.EVENTLET,),
        " - - [",
        eventlet_default.entry_of,
        with_headers=(eventlet_default.EVENTLET,),
    ),
    Form(
        (uwsgi_default.UWSGI,),
        uwsgi_default.MARK,
        uwsgi_default.entry_of,
        raw_mark="generated ",
    ),
    Form(
        (access_times.APACHE, access_times.NGINX),
        '] "',
        access_logs.entry_of,
        with_headers=(access_times.NGINX,),
        outer=(access_times.NGINX,),
    ),
    Form(
        (haproxy.HAPROXY,),
        haproxy.MARK,
        haproxy.entry_of,
        with_headers=(haproxy.HAPROXY,),
        outer=(haproxy.HAPROXY,),
        raw_mark=haproxy.RAW_MARK,
    ),
    Form(
        (tempest_calls.TEMPEST,),
        tempest_calls.MARK,
        tempest_calls.entry_of,
        outer=(tempest_calls.TEMPEST,),
    ),
    Form(
        (openstack_timing.OPENSTACK_TIMING,),
        openstack_timing.MARK,
        openstack_timing.entry_of,
        outer=(openstack_timing.OPENSTACK_TIMING,),
    ),
    Form((rally_actions.RALLY,), rally_actions.MARK, rally_actions.entry_of),
    Form(
        (osprofiler_requests.OSPROFILER,),
        osprofiler_requests.MARK,
        osprofiler_requests.entry_of,
        outer=(osprofiler_requests.OSPROFILER,),
    ),
)

IN_JSON = ", JSON"
_OTHER_NAMES = (FIELDS_FORM, begin_and_end.PAIR, STATED)

# All names of forms, the preferred first.
PREFERRED = (
    own_records.LOG_FILE,
    *(
        name + within
        for name in (
            *(name for form in FORMS[:3] for name in form.names),
            *_OTHER_NAMES,
            *(name for form in FORMS[3:] for name in form.names),
        )
        for within in (IN_JSON, "")
    ),
)
# JSON's comes first, which all lines of many logs have.
MARKS = tuple(
    dict.fromkeys(
        mark.encode()
        for mark in (
            '{"',
            *(form.raw_mark or form.mark for form in FORMS),
            begin_and_end.MARK,
            haproxy.CUT_MARK,
            *worker_losses.MARKS,
        )
    )
)
