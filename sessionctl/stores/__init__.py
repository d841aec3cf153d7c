"""What other frameworks keep on the server: their records (`read_record`), and whole stores, read only.

A record is read by a module for its family of frameworks, found through `sessionctl.stores.registry`; a store
by a layout, `sessionctl.stores.layouts`, that knows under which key or file name the record of an ID lies.
Nothing here writes, imports or runs what a record names.
"""

from __future__ import annotations

from sessionctl.stores.base import StoredRecord
from sessionctl.stores.registry import may_be_empty, read_record, record_names

__all__ = ["StoredRecord", "may_be_empty", "read_record", "record_names"]
