# SPDX-License-Identifier: Apache-2.0
"""Engine ``cprofile``: every call of the requests that were chosen."""
