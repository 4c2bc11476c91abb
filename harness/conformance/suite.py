"""``check_tool`` and ``faults`` under the name that adapters' own tests have imported so far.

New tests import ``harness.tools.conformance.suite`` (docs/decisions/0004-public-names-stay.md).
"""

from harness.tools.conformance.suite import check_tool, faults

__all__ = ["check_tool", "faults"]
