# SPDX-License-Identifier: Apache-2.0
"""The child process that reads the worker's memory.

It needs the standard library alone, and imports little of it: it is started
for each worker, and is to be small.
"""
