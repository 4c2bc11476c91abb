"""An Atom feed (RFC 4287) of confirmed alarms: one entry for each, whose id never changes."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from harness.model.nightly import Alarm, NightRecord

_ATOM = "http://www.w3.org/2005/Atom"
_EPOCH = "1970-01-01"


def atom_feed(records: Sequence[NightRecord], *, link: str = "") -> str:
    """The alarms of all nights, newest first; the same records give the same text.

    ``link``: where the history can be seen. An alarm that stands for many nights is one entry,
    dated on its first night.
    """
    ElementTree.register_namespace("", _ATOM)
    first: dict[str, NightRecord] = {}
    for record in sorted(records, key=lambda alarm: alarm.night):
        if record.alarm is Alarm.CONFIRMED:
            first.setdefault(record.alarm_id, record)
    alarms = sorted(first.values(), key=lambda alarm: (alarm.night, alarm.alarm_id), reverse=True)
    newest = max((alarm.night for alarm in alarms), default=_EPOCH)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(feed, "id", "urn:deid-bench:alarms")
    _add(feed, "title", "deid-bench: regressions")
    _add(feed, "updated", _time(newest))
    _add(_add(feed, "author"), "name", "deid-bench")
    if link:
        _add(feed, "link").set("href", link)
    for alarm in alarms:
        entry = _add(feed, "entry")
        _add(entry, "id", f"urn:deid-bench:alarm:{alarm.alarm_id}")
        _add(entry, "title", f"{alarm.what} regressed against {alarm.good_version}")
        _add(entry, "updated", _time(alarm.night))
        _add(entry, "summary", alarm.reason)
        if link:
            _add(entry, "link").set("href", link)
    ElementTree.indent(feed)
    text = ElementTree.tostring(feed, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _add(parent: ElementTree.Element, name: str, text: str = "") -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    element.text = text or None
    return element


def _time(night: str) -> str:
    return f"{night}T00:00:00Z"
