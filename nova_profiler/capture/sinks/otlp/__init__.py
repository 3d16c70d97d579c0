# SPDX-License-Identifier: Apache-2.0
"""Sink that sends traces and histograms to an OpenTelemetry Collector.

``endpoint`` reads the options. ``histograms`` adds times up, ``waiting`` keeps
traces, ``messages`` makes protobuf of both. ``stream`` and ``collector`` carry
it, ``sender`` says what goes out when, ``process`` has the thread that does
all this, ``sink`` takes the records.
"""
