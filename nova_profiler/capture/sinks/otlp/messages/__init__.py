# SPDX-License-Identifier: Apache-2.0
"""Messages of OTLP, of records and of times.

``names`` has OpenTelemetry's words beside ours, ``ids`` the ids of traces.
``spans`` with ``wire``, and ``points``, make protobuf, with what both have in
``attributes``.
"""
