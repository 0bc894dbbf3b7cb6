"""Cases of answers with a name: the fields that make them, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from .saml_response import Confirmation
from .site import SamlSite
from .tree_edits import Edit, edits

BOTH = ("assertion", "response")
ALL = ("assertion", "response", "both")


@dataclass(frozen=True)
class Case:
    """Fields of an answer (made when the test runs: they hold times); `{acs}` in a text is the ACS's URL."""

    name: str
    changes: Callable[[], dict[str, object]]
    reason: str = ""
    detail: str = ""  # a pattern in the log line: what was expected and what came
    sign: tuple[str, ...] = ("assertion",)

    def made(self, site: SamlSite) -> dict[str, object]:
        """The fields, for this site, now."""
        return {name: _filled(value, site) for name, value in self.changes().items()}


def _filled(value: object, site: SamlSite) -> object:
    if isinstance(value, str):
        return value.replace("{acs}", site.acs_url)
    if isinstance(value, Confirmation):
        return Confirmation(**{key: _filled(each, site) for key, each in vars(value).items()})
    return [_filled(each, site) for each in value] if isinstance(value, list) else value


def by_sign(cases: Sequence[Case]) -> list[object]:
    """Each case once for every way in which it is signed."""
    return [pytest.param(case, sign, id=f"{case.name}-{sign}") for case in cases for sign in case.sign]


def fields(**changes: object) -> Callable[[], dict[str, object]]:
    """Fields that hold no times."""
    return lambda: changes


def edited(*all_of_them: Edit) -> Callable[[], dict[str, object]]:
    """A tree that is changed before it is signed."""
    return lambda: {"mutate_before_sign": edits(*all_of_them)}
