"""Debian's SimpleSAMLphp as an identity provider, without a web server."""

from .starter import SimpleSamlPhp

__all__ = ["SimpleSamlPhp"]
