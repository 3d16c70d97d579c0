# SPDX-License-Identifier: Apache-2.0
"""Parts of a log line that many forms share."""
