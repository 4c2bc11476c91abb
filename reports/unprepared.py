"""Cells that were asked for and could not be prepared, as a page counts them."""

from __future__ import annotations

from harness.model.cell import CellSpec
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor
from harness.model.suite import UnpreparedCell


def spec_without_people(asked: UnpreparedCell) -> CellSpec:
    """A spec for the page alone: it names people of whom there is no video and no face."""
    cell, none = asked.cell, MediaRef(sha256="", suffix="")
    actor = PreparedActor(
        number=cell.actor,
        sex=asked.sex,
        split=asked.split,
        training=None,
        test=none,
        reference=none,
        reference_note="",
    )
    donor = None
    if cell.donor is not None:
        donor = PreparedDonor(
            name=cell.donor,
            sex=asked.donor_sex or asked.sex,
            training=None,
            reference=none,
            reference_note="",
        )
    return CellSpec(
        tool=cell.tool,
        version=cell.version,
        config=cell.config,
        settings=cell.settings,
        dataset=asked.dataset,
        split=asked.split,
        actor=actor,
        donor=donor,
        seed=cell.seed,
        limits=cell.limits,
    )
