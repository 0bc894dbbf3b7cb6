"""The table of attacks, `tests/ATTACKS.md`, names tests that are there and leaves nothing out."""

from __future__ import annotations

from sallyport_testing.attack_table import cases_with, collected, read_table, unit_tests

ROWS = read_table()
LATER = ("single logout", "volume: scripts/torture")


def test_every_number_is_there_once() -> None:
    assert [row.number for row in ROWS if row.number is not None] == list(range(1, 177))
    assert len([row for row in ROWS if row.number is None]) > 30, "the duties of the standards"
    ids = [each for row in ROWS for each in row.ids]
    assert len(set(ids)) == len(ids)


def test_a_row_has_tests_or_says_where_it_belongs() -> None:
    for row in ROWS:
        assert row.what and row.verdict, row.name
        belongs = row.tests.partition("belongs to: ")[2]
        assert not belongs or belongs.startswith(LATER), f"{row.name} belongs to what? {belongs}"
        assert row.named or row.rows or belongs or row.tests.startswith("not yet: "), row.name
        assert all(1 <= number <= 176 for number in row.rows), row.name


def test_the_tests_of_a_row_exist() -> None:
    known = set(collected()) | unit_tests()
    assert not [f"{row.name}: {test}" for row in ROWS for test in row.named if test not in known]


def test_the_tests_of_a_row_carry_its_id() -> None:
    def carried(identifier: str, tests: list[str]) -> bool:
        return any(cases_with(identifier, test) for test in tests)

    assert not [
        f"{row.name}: no test is named after {each}"
        for row in ROWS if row.named
        for each in row.ids if not carried(each, row.named)
    ]  # fmt: skip


def test_ids_are_compared_word_by_word_xsw_wrap() -> None:
    """What the checks above stand on can fail."""
    here = "nginx/test_attack_table.py::test_ids_are_compared_word_by_word_xsw_wrap"
    assert cases_with("XSW-WRAP", here) == 1 and cases_with("WRAP", here) == 1
    assert cases_with("XSW-BY", here) == 0 and cases_with("RAP", here) == 0
    assert cases_with("XSW-WRAP", "nginx/test_attack_table.py::test_no_such_test") == 0
    assert cases_with("XML-UTF8", "Suite.TheXmlUtf8Test") == 1 and cases_with("XML-UTF8", "Suite.XmlUtf") == 0
