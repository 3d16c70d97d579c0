# SPDX-License-Identifier: Apache-2.0
"""The lines of one request, found in logs of any size."""
