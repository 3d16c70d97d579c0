# SPDX-License-Identifier: Apache-2.0
"""nova-profiler: where the time of each Nova REST call went."""

import os.path

__version__ = "0.1.0"

# Stacks leave our own frames out by this, the one place that knows it.
OWN_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
