# SPDX-License-Identifier: Apache-2.0
"""Sink that sends traces and histograms to an OpenTelemetry Collector.

``endpoint`` reads the options. ``names`` has OpenTelemetry's words beside
ours, ``ids`` the ids of traces. ``histograms`` adds times up, ``waiting``
keeps traces. ``spans`` with ``wire``, and ``points``, make protobuf of them,
with what both have in ``attributes``. ``stream`` and ``collector`` carry it,
``sender`` says what goes out when, ``process`` has the thread that does all
this, ``sink`` takes the records.
"""
