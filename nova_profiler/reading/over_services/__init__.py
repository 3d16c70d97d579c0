# SPDX-License-Identifier: Apache-2.0
"""One request over all services: its records as one picture."""
