"""Documents that were valid once: changed in their text, their bytes and their structure."""

from __future__ import annotations

import json
import os
from typing import Any

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("BENCH_FUZZ", "200"))
"""For each test; thousands with ``BENCH_FUZZ=5000``, which then draws others each time."""
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="BENCH_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)

_TOKENS = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1b[31m",
    b"&a ",
    b"*a ",
    b"<<: *a",
    b"!!python/name:os.system",
    b"!!binary x",
    b"[" * 40,
    b"{" * 40,
    b"- " * 40,
    b"\t",
    b"'",
    b'"',
    b": ",
    b"? ",
    b"---\n",
    b"...\n",
    b"%YAML 9.9\n",
    b"~",
    b"~nosuchuser/x",
    b"null",
    b".nan",
    b".inf",
    b"-.inf",
    b"NaN",
    b"Infinity",
    b"-1",
    b"1e999",
    b"9" * 5000,
    b"0x",
    b"0o9",
    b"1_0",
    b"2020-13-45",
    b"12:99:99",
    b"true",
    b"no",
    b"\\ud800",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b",",
    b";",
    b"\r",
    b"\n",
    b"../../etc/passwd",
    b"/dev/zero",
    b"\\x00",
    b"<script>",
]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=10**300, max_value=10**301),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["~nosuchuser", "\0", "\x1b[2J", "a" * 20_000, "\ud800", "", "-1", "nan"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def changed_text(draw: st.DrawFn, valid: bytes) -> bytes:
    """The bytes of a document after one to four cuts, insertions, doublings and flips."""
    data = valid
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data = data[:at] + draw(st.sampled_from(_TOKENS)) + data[end:]
        elif kind == 1:
            data = data[:at] + data[end:]
        elif kind == 2:
            data = data[:end] + data[at:end] + data[end:]
        elif kind == 3:
            data = data[:at] + draw(st.binary(max_size=4)) + data[at:]
        elif data:
            place = min(at, len(data) - 1)
            flipped = data[place] ^ (1 << draw(st.integers(0, 7)))
            data = data[:place] + bytes([flipped]) + data[place + 1 :]
    return data


@st.composite
def changed_tree(draw: st.DrawFn, valid: Any) -> Any:
    """A tree in which one to three values are others, are gone, or have new neighbours."""
    tree = json.loads(json.dumps(valid))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(tree))
        parent, key = draw(st.sampled_from(places))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            del parent[key]
            if not tree:
                return tree
        elif kind == 1 and isinstance(parent, dict):
            parent[draw(st.text(max_size=8))] = draw(VALUES)
        else:
            parent[key] = draw(VALUES)
    return tree


def _places(tree: Any) -> Any:
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list) and tree[key]:
            yield from _places(tree[key])


def documents(valid: str) -> st.SearchStrategy[bytes]:
    """YAML texts near a valid one, and far from any."""
    tree = yaml.safe_load(valid)
    return st.one_of(
        changed_text(valid.encode()),
        changed_tree(tree).map(_as_yaml),
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")),
    )


def _as_yaml(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def records(valid: bytes) -> st.SearchStrategy[bytes]:
    """JSON near a stored record."""
    tree = json.loads(valid)
    return st.one_of(
        changed_text(valid),
        changed_tree(tree).map(lambda changed: json.dumps(changed).encode()),
        st.binary(max_size=100),
        st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b"NaN", b"null", b"{}"]),
    )
