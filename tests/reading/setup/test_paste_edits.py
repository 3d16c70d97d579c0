# SPDX-License-Identifier: Apache-2.0
"""Our filter put into a paste file, and taken out again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.paste_file import PasteFileError, own_filters, sections_in
from nova_profiler.reading.setup.paste_edits import with_filter, without_filter
from nova_profiler.reading.setup.paste_pipelines import pipelines_of

NOVA = """\
# A comment with keystone = cors
[composite:metadata]
use = egg:Paste#urlmap
/: meta

[pipeline:meta]
pipeline =
    cors metaapp

[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: oscomputeversions
/v2.1/+: openstack_compute_api_v21

[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone: cors compute_req_id osapi_compute_app_v21
noauth2\t=\tcors  osapi_compute_app_v21

[pipeline:oscomputeversions]
pipeline = cors oscomputeversionapp

[pipeline:elsewhere]
pipeline = cors another
"""
WORDS = ["cors", "nova_profiler", "compute_req_id", "an_app", "#x", "versions"]
SECTIONS = [
    "[composite:osapi_compute]",
    "[composite: openstack_compute_api_v21 ]",
    "[pipeline:meta]",
    "[composite:metadata]",
    "[filter:nova_profiler]",
    "[app:an_app]",
]
KEYS = ["keystone", "pipeline", "/", "/v2.1/+", "use", "paste.filter_factory"]
VALUES = st.lists(
    st.sampled_from([*WORDS, "openstack_compute_api_v21", "meta"]), max_size=4
).map(" ".join)
LINES = st.one_of(
    st.sampled_from([*SECTIONS, "", "# comment", "    cors an_app"]),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(KEYS),
        st.sampled_from([" = ", "=", ": ", " =\t"]),
        VALUES,
        st.sampled_from(["", " "]),
    ),
)


def test_each_pipeline_begins_with_it():
    """The compute API's and the metadata API's, and no others."""
    edited = with_filter(NOVA, "api-paste.ini")

    sections = sections_in(edited, "api-paste.ini")
    lines = {
        name: options.get("pipeline") or options.get("keystone")
        for name, options in sections.items()
    }
    assert list(own_filters(sections)) == ["filter:nova_profiler"]
    assert lines["pipeline:meta"].split() == [
        "nova_profiler",
        "cors",
        "metaapp",
    ]
    assert lines["composite:openstack_compute_api_v21"] == (
        "nova_profiler cors compute_req_id osapi_compute_app_v21"
    )
    assert "noauth2\t=\tnova_profiler cors  osapi" in edited
    assert lines["pipeline:oscomputeversions"] == "cors oscomputeversionapp"
    assert lines["pipeline:elsewhere"] == "cors another"


def test_comments_and_order_stay():
    """Only what is added differs."""
    edited = with_filter(NOVA, "api-paste.ini")

    old = NOVA.splitlines()
    new = edited.splitlines()
    assert [
        line.replace("nova_profiler ", "") for line in new[: len(old)]
    ] == [
        line if line != "pipeline =" else "pipeline =nova_profiler"
        for line in old
    ]


def test_a_filter_declared_by_hand_is_left_alone():
    """Neither added to nor taken away."""
    by_hand = (
        "[filter:timing]\n"
        "paste.filter_factory = nova_profiler.factory:filter_factory\n"
        "[pipeline:meta]\npipeline = nova_profiler timing metaapp\n"
    )

    assert with_filter(by_hand, "api-paste.ini") == by_hand
    assert without_filter(by_hand) == by_hand


def test_other_services_have_it_in_all_pipelines():
    """A file without nova's applications, as glance's."""
    text = "[pipeline:glance-api]\npipeline = cors rootapp\n"

    edited = with_filter(text, "glance-api-paste.ini")

    assert "pipeline = nova_profiler cors rootapp\n" in edited


def test_the_line_ends_stay():
    """A file from elsewhere."""
    text = NOVA.replace("\n", "\r\n")

    edited = with_filter(text, "api-paste.ini")

    assert "\n" not in edited.replace("\r\n", "")
    assert without_filter(edited) == text


def test_what_is_no_paste_file_is_refused():
    """The file is not edited by halves."""
    with pytest.raises(PasteFileError, match="x.ini: cannot be read in line"):
        with_filter("[a]\nb\nnothing of the kind\n= 1\n", "x.ini")


@given(
    st.lists(LINES, max_size=12).map("\n".join), st.sampled_from(["", "\n"])
)
def test_taken_out_it_is_as_it_was(text, end):
    """With it or without: the same text again, however often."""
    text = f"[pipeline:x]\npipeline = y\n{text}{end}"
    try:
        edited = with_filter(text, "x.ini")
    except PasteFileError:
        return

    assert with_filter(edited, "x.ini") == edited
    back = without_filter(edited)
    assert back == text or back == text + "\n"


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_what_was_there_is_still_read(text):
    """Paste's reader finds the same options, and our word more."""
    text = f"[pipeline:x]\npipeline = y\n{text}"
    try:
        before = sections_in(text, "x.ini")
    except PasteFileError:
        return

    after = sections_in(with_filter(text, "x.ini"), "x.ini")

    after_pipelines = pipelines_of(after, ["nova_profiler"])
    for one, two in zip(
        pipelines_of(before, ["nova_profiler"]), after_pipelines, strict=True
    ):
        assert [w for w in one.names if w != "nova_profiler"] == [
            w for w in two.names if w != "nova_profiler"
        ]
