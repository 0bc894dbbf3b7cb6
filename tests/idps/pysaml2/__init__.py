"""Debian's pysaml2 as an identity provider."""

from .starter import Pysaml2Idp

__all__ = ["Pysaml2Idp"]
