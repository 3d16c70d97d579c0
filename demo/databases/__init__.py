# SPDX-License-Identifier: Apache-2.0
"""nova's three databases, made once: schemas, two cells, servers."""
