# SPDX-License-Identifier: Apache-2.0
"""From a closed capture to its record, and on to the sinks."""
