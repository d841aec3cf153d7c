"""One session from cookie text, ID or ref to a report: what it is, whether it is genuine, and what is odd."""

from sessionctl.inspection.by_cookie import inspect
from sessionctl.inspection.by_name import STORED, inspect_target
from sessionctl.inspection.report import Report
from sessionctl.inspection.stored import find_ref, not_found, ref_of

__all__ = ["STORED", "Report", "find_ref", "inspect", "inspect_target", "not_found", "ref_of"]
