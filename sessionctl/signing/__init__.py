"""Secrets, the key ring, and the two signers of this package: `native` and `remix`."""

from __future__ import annotations

from sessionctl.signing.keys import KeyRing, Secret

__all__ = ["KeyRing", "Secret"]
