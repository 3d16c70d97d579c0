# SPDX-License-Identifier: Apache-2.0
"""Sink that sends traces and histograms to an OpenTelemetry Collector.

``endpoint`` reads the options. ``names`` has OpenTelemetry's words beside
ours, ``ids`` the ids of traces. ``histograms`` adds times up, ``spans`` and
``points`` make protobuf of records and times, ``stream`` and ``collector``
carry it, ``process`` has the thread that does all this, ``sink`` takes the
records.
"""
