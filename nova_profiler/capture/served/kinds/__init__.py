# SPDX-License-Identifier: Apache-2.0
"""What is served besides WSGI requests, a file or folder for each kind.

A row of ``KINDS`` in ``nova_profiler.record.kinds`` names the module. It has a
function ``install(worker)`` that replaces attributes of classes and nothing
else, since commands that serve nothing call it, too; it returns what undoes
that. Installing twice is the same as once. What is served goes through the
*worker* (begin, stop, deliver); its record has ``kind`` set, and its route's
first word is ``rpc``, ``task`` or ``periodic``.
"""
