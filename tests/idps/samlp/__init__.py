"""The npm package samlp as an identity provider."""

from .starter import SamlpIdp, install

__all__ = ["SamlpIdp", "install"]
