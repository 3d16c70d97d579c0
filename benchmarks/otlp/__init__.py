# SPDX-License-Identifier: Apache-2.0
"""What the sink of OTLP costs, with a Collector and without."""
