"""saml_idp_directory: files that are saml_idp blocks, in force in all workers without a reload, all or nothing each."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.idp_directory import Directory, user
from sallyport_testing.idp_metadata import MetadataKey, aggregate_xml, entity_descriptor
from sallyport_testing.keys import KeyStore
from sallyport_testing.metadata_server import MetadataServer
from sallyport_testing.policy_site import sent
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import LATER, wait_for_all_workers, wait_until

SECONDS = 20  # a busy machine is slow


@contextmanager
def meanwhile(step: Callable[[], None], pause: float) -> Iterator[None]:
    """Does it over and over, with so many seconds between, in a thread of its own."""
    is_over = threading.Event()

    def run() -> None:
        while not is_over.wait(pause):
            step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.fixture
def directory(site: SamlSite, keys: KeyStore) -> Directory:
    return Directory(site, keys)


def test_a_file_is_a_block(directory: Directory) -> None:
    directory.write("acme", "display_name 'Acme Corporation';\nemail_domains acme.test;\n")
    time.sleep(0.1)  # a file written that shortly before is read twice
    directory.start()
    browser = Browser()
    assert directory.login(browser, "acme", **user("ada@acme.test")) == 200
    assert directory.is_in(browser, "acme")
    assert directory.login(Browser(), "acme", **user("ada@globex.test")) == 403
    assert "is in force" not in directory.nginx.error_log(), "a start is no change"


def test_added_changed_and_removed_without_a_reload(directory: Directory) -> None:
    directory.write("acme")
    directory.start()
    master = directory.nginx.master
    directory.goes("globex")
    directory.write("globex")
    directory.comes("globex")
    line = directory.nginx.wait_for_log('saml: saml_idp "globex" of .*/globex.conf is in force: .*')[0]
    assert f"entity_id={directory.idp('globex').entity_id}" in line and "+certificate " in line
    ada, bob = Browser(), Browser()
    assert directory.login(ada, "acme") == 200 and directory.login(bob, "globex") == 200

    directory.write("globex", "require_signed both;\n")
    directory.nginx.wait_for_log('saml: saml_idp "globex" of .* is in force anew')
    wait_for_all_workers(lambda: directory.login(Browser(), "globex", sign="assertion") == 403, "both to be required")
    assert directory.login(Browser(), "globex", sign="both") == 200
    assert directory.is_in(bob, "globex"), "the session is of the same IdP"

    directory.file("globex").unlink()
    directory.goes("globex")
    directory.nginx.wait_for_log('saml: saml_idp "globex" is gone with its file .*/globex.conf')
    assert not directory.is_in(bob, "globex") and directory.is_in(ada, "acme")
    log = directory.nginx.error_log()
    assert log.count('"globex" is gone') == 1, "one worker says so"
    assert directory.nginx.master == master

    directory.write("globex")
    directory.comes("globex")
    assert directory.login(Browser(), "globex") == 200


def test_an_answer_that_was_asked_for_before_its_organisation_went(directory: Directory) -> None:
    directory.write("acme")
    directory.start()
    browser = Browser()
    idp = directory.idp("acme")
    request = idp.read_request(browser.get(directory.site.url("/acme/page")))
    directory.file("acme").unlink()
    directory.goes("acme")
    assert idp.post(browser, idp.answer(request)).status == 403
    assert not directory.is_in(browser, "acme")


@pytest.mark.parametrize("becomes", ["gone", "another"])
def test_an_organisation_that_changes_while_redis_is_asked(
    directory: Directory, proxy: FaultProxy, keys: KeyStore, becomes: str
) -> None:
    """The answer was good when it came; whom it is from is nobody now, or somebody else."""
    directory.write("acme")
    directory.write("globex")
    secret = directory.nginx.folder / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    secret.chmod(0o600)
    directory.nginx.workers_wanted = 1
    directory.start(http=f"""saml_redis main {{ server {proxy.address}; timeout 60s; }}
        saml_session_store redis=main; saml_secret_file {secret};""")  # fmt: skip
    assert directory.login(Browser(), "acme", **user("ada@acme.test")) == 200  # the worker and Redis know each other
    browser = Browser()
    idp = directory.idp("acme")
    message = idp.answer(idp.read_request(browser.get(directory.site.url("/acme/page"))), **user("ada@acme.test"))
    asked = len(proxy.commands)
    proxy.hang_at = "GET"
    answers: list[int] = []
    poster = threading.Thread(target=lambda: answers.append(idp.post(browser, message).status))
    poster.start()
    try:
        wait_until(lambda: any(each[0] == b"GET" for each in proxy.commands[asked:]), SECONDS, "Redis to be asked")
        if becomes == "gone":
            directory.file("acme").unlink()
            directory.nginx.wait_for_log('"acme" is gone', SECONDS)
        else:
            del directory.idps["acme"]
            other = TestIdp(keys.get("directory-other"), "https://other.example.org/idp", "https://other.example.org/sso")
            other.write_metadata(directory.metadata("acme"))
            directory.nginx.wait_for_log('"acme" of .* is in force anew', SECONDS)
        time.sleep(LATER)
    finally:
        proxy.hang_at = ""
        poster.join()
    assert answers == [403]
    assert "the saml_idp went or changed while the login was under way" in directory.nginx.error_log()
    for path in ("/acme/page", "/globex/page"):
        assert browser.get(directory.site.url(path)).status != 200


MISTAKES = {
    "unknownline": ("metadata %%metadata%%;\nrequire_singed both;\n", 2, 'unknown line "require_singed"'),
    "halfwritten": ("metadata %%metadata%%;\nrequire_signed both", 2, "unexpected end of file"),
    "brace": ("metadata %%metadata%%;\n}\n", 2, 'unexpected "}"'),
    "block": ("metadata %%metadata%%;\nserver {\n}\n", 2, 'unexpected "{"'),
    "nometadata": ("\n\nmetadata /nowhere.xml;\n", 3, 'cannot read "/nowhere.xml"'),
    "badword": ("metadata %%metadata%%;\nrequire_signed none;\n", 2, '"require_signed" takes'),
    "nopolicy": ("metadata %%metadata%%;\npolicy nobody;\n", 2, 'there is no saml_policy "nobody"'),
    "nokey": ("metadata %%metadata%%;\nrequire_encrypted on;\n", 2, "has no RSA key"),
    "nocache": ("metadata https://idp.example.com/metadata;\n", 1, '"saml_cache_path'),
    "blank": ("\n", 1, "metadata FILE"),
    "empty": ("", 1, "metadata FILE"),
    "includesitself": ("include %%file%%;\n", 1, "does a file include itself?"),
    "includesafolder": ("metadata %%metadata%%;\ninclude %%folder%%;\n", 2, '"include" wants a file'),
    "includesnothing": ("metadata %%metadata%%;\ninclude /nowhere.inc;\n", 2, '"/nowhere.inc" failed'),
    "huge": ("metadata %%metadata%%;\n" + "# filled\n" * 8000, None, "larger than 65536 bytes"),
}


def test_mistakes_leave_the_ones_before_in_force(directory: Directory) -> None:
    for name in (*MISTAKES, "acme"):
        directory.write(name)
    directory.start()
    browsers = {name: Browser() for name in MISTAKES}
    assert all(directory.login(browser, name) == 200 for name, browser in browsers.items())
    for name, (text, _, _) in MISTAKES.items():
        places = {"metadata": directory.metadata(name), "file": directory.file(name), "folder": directory.folder}
        for word, path in places.items():
            text = text.replace(f"%%{word}%%", str(path))
        directory.write(name, text, metadata="")
    for name, (_, line, says) in MISTAKES.items():
        found = directory.nginx.wait_for_log(f"file .*/{name}.conf of saml_idp_directory is not taken: .*", SECONDS)[0]
        assert says in found and "the one before stays in force" in found
        assert (f"{name}.conf:{line};" if line else f"{name}.conf;") in found, found
    time.sleep(2.5)
    assert directory.nginx.error_log().count("is not taken") == len(MISTAKES), "each said once, by one worker"
    for _ in range(4):
        assert all(directory.is_in(browser, name) for name, browser in browsers.items())
    assert all(directory.login(Browser(), name) == 200 for name in (*MISTAKES, "acme"))
    for name in MISTAKES:
        directory.write(name, "force_authn on;\n")
    for name in MISTAKES:
        directory.nginx.wait_for_log(f'"{name}" of .* is in force anew', SECONDS)


def test_a_mistake_at_the_start_is_one_organisations(directory: Directory) -> None:
    """nginx starts, `nginx -t` names file and line, the others work, and the file counts when it is mended."""
    directory.write("acme")
    directory.write("globex", "displayname Globex;\n")
    directory.configure()
    result = directory.nginx.test()
    assert result.ok, result.output
    assert 'unknown line "displayname"' in result.output and "globex.conf:2; nobody can log in there" in result.output
    assert "[emerg]" not in result.output
    directory.nginx.start()
    assert directory.login(Browser(), "acme") == 200
    assert directory.status("globex") == 403
    directory.write("globex", "display_name Globex;\n")
    directory.comes("globex")
    assert directory.login(Browser(), "globex") == 200


def test_a_file_counts_when_it_is_at_rest(directory: Directory) -> None:
    """Half of a file may be good by itself, and laxer than the whole."""
    directory.write("acme")
    directory.start()
    with directory.file("globex").open("w") as file:
        file.write(f"metadata {directory.metadata('globex')};\n")
        directory.idp("globex")
        for _ in range(12):
            file.write("# still writing\n")
            file.flush()
            time.sleep(0.3)
            assert directory.status("globex") == 403
        file.write("require_signed both;\n")
    directory.comes("globex")
    assert directory.login(Browser(), "globex", sign="assertion") == 403


def test_files_that_the_lines_name_count_too(directory: Directory) -> None:
    """A new metadata file, as whatever fetches it writes it."""
    directory.write("acme")
    directory.start()
    browser = Browser()
    assert directory.login(browser, "acme") == 200
    old = directory.idps.pop("acme")
    new = TestIdp(directory.site.idp.key, old.entity_id, old.sso_url)
    new.write_metadata(directory.metadata("acme"))
    directory.idps["acme"] = new
    directory.nginx.wait_for_log('"acme" of .* is in force anew: .*certificate', SECONDS)
    wait_for_all_workers(lambda: directory.login(Browser(), "acme") == 200, "the new key to be in force")
    assert directory.is_in(browser, "acme")
    directory.idps["acme"] = old
    assert directory.login(Browser(), "acme") == 403


def test_files_that_are_included_count_too(directory: Directory) -> None:
    """What several organisations share stands in one file: a change of it is one of theirs."""
    shared = directory.nginx.folder / "shared.inc"
    shared.write_text("email_domains acme.test;\n")
    directory.write("acme", f"include {shared};\n")
    directory.start()
    assert not directory.takes("acme", "ada@globex.test")
    shared.write_text("email_domains acme.test globex.test;\n")
    directory.nginx.wait_for_log('"acme" of .* is in force anew', SECONDS)
    wait_for_all_workers(lambda: directory.takes("acme", "ada@globex.test"), "the second domain")
    shared.unlink()
    directory.nginx.wait_for_log('acme.conf of saml_idp_directory is not taken: .*shared.inc" failed', SECONDS)
    assert directory.takes("acme", "ada@globex.test"), "the one before stays in force"
    shared.write_text("email_domains globex.test;\n")
    wait_for_all_workers(lambda: not directory.takes("acme", "ada@acme.test"), "one domain alone")


def test_files_of_an_included_pattern_come_and_go(directory: Directory) -> None:
    parts = directory.nginx.folder / "parts"
    parts.mkdir()
    directory.write("acme", f"include {parts}/*.inc;\n")
    directory.start()
    assert directory.takes("acme", "ada@globex.test")
    part = parts / "domains.inc"
    part.write_text("email_domains acme.test;\n")
    wait_for_all_workers(lambda: not directory.takes("acme", "ada@globex.test"), "the domains")
    part.write_text("email_domains globex.test;\n")
    wait_for_all_workers(lambda: directory.takes("acme", "ada@globex.test"), "another domain")
    part.unlink()
    wait_for_all_workers(lambda: directory.takes("acme", "ada@acme.test"), "no domains")


def test_other_files_are_nobodys(directory: Directory) -> None:
    directory.write("acme")
    directory.start()
    for name in (".acme.conf.swp", "globex.conf~", "globex.conf.bak", ".globex.conf", "README"):
        (directory.folder / name).write_text("nonsense")
    (directory.folder / "bad name.conf").write_text("nonsense")
    (directory.folder / "off.conf").write_text("nonsense")
    (directory.folder / "folder.conf").mkdir()
    directory.nginx.wait_for_log("folder.conf of saml_idp_directory is not taken: it is no file", SECONDS)
    directory.nginx.wait_for_log("bad name.conf of saml_idp_directory is not taken: the name of a saml_idp", SECONDS)
    directory.nginx.wait_for_log("off.conf of saml_idp_directory is not taken: the name of a saml_idp", SECONDS)
    assert "globex" not in directory.nginx.error_log() and "README" not in directory.nginx.error_log()


def test_links_are_followed(directory: Directory) -> None:
    """As a ConfigMap's folder is: NAME.conf leads through a link that is swapped."""
    directory.write("acme")
    directory.start()
    for release in ("one", "two"):
        (directory.nginx.folder / release).mkdir()
        directory.idp("globex")
        extra = "require_signed both;" if release == "two" else ""
        text = f"metadata {directory.metadata('globex')}; {extra}"
        (directory.nginx.folder / release / "globex.conf").write_text(text)
    current = directory.nginx.folder / "current"
    current.symlink_to("one")
    directory.file("globex").symlink_to("../current/globex.conf")
    directory.comes("globex")
    assert directory.login(Browser(), "globex", sign="assertion") == 200
    (directory.nginx.folder / "next").symlink_to("two")
    (directory.nginx.folder / "next").rename(current)
    wait_for_all_workers(lambda: directory.login(Browser(), "globex", sign="assertion") == 403, "the second release")


def test_a_link_that_goes_back_takes_its_rules_back(directory: Directory) -> None:
    """Of two sets of rules that one is newer which was put in force later, whatever its files' times say."""
    directory.write("acme", "policy strict;\n")
    strict = directory.file("acme").rename(directory.nginx.folder / "strict")
    loose = directory.nginx.folder / "loose"
    link, fresh = directory.file("acme"), directory.folder / "fresh"

    def point_at(version: Path) -> None:
        before = directory.nginx.error_log().count(" is in force")
        fresh.symlink_to(version)
        fresh.rename(link)
        wait_until(lambda: directory.nginx.error_log().count(" is in force") > before, SECONDS, "the other version")
        time.sleep(LATER)

    link.symlink_to(strict)
    directory.start(http="saml_policy strict { group Admins idp_id=none; } saml_policy loose { group Admins idp_id=x; }")
    time.sleep(1.1)
    loose.write_text(strict.read_text().replace("strict", "loose"))
    point_at(loose)
    browser = Browser()
    page = directory.site.url("/acme/page")
    given = browser.follow(directory.idp("acme").login(browser, page, name_id="ada", attributes=sent(groups="x")))
    assert given.echo().header("X-SSO-Groups") == "Admins"
    point_at(strict)
    assert [browser.get(page).echo().header("X-SSO-Groups") for _ in range(10)] == [None] * 10


def test_a_folder_that_cannot_be_listed_removes_nobody(directory: Directory) -> None:
    directory.write("acme")
    directory.start()
    browser = Browser()
    assert directory.login(browser, "acme") == 200
    away = directory.folder.with_name("away")
    directory.folder.rename(away)
    directory.nginx.wait_for_log("saml_idp_directory .* cannot be listed", SECONDS)
    time.sleep(2.5)
    assert directory.is_in(browser, "acme")
    assert directory.nginx.error_log().count("cannot be listed") <= 2, "said once by each worker that looks"
    away.rename(directory.folder)
    directory.write("globex")
    directory.comes("globex")


def test_what_is_in_nginx_conf_wins(directory: Directory) -> None:
    """A file may not take the place of a block, nor a domain that is another's."""
    directory.write("acme", "email_domains acme.test;\n")
    directory.start()
    directory.write("test")
    found = directory.nginx.wait_for_log("test.conf of saml_idp_directory is not taken: .*", SECONDS)[0]
    assert 'saml_idp "test" stands already at ' in found and "nginx.conf:" in found
    directory.write("globex", "email_domains globex.test mail.acme.test acme.test;\n")
    found = directory.nginx.wait_for_log("globex.conf of saml_idp_directory is not taken: .*", SECONDS)[0]
    assert "acme.test" in found and "a domain belongs to one IdP" in found
    assert directory.status("globex") == 403
    assert Browser().get(directory.site.url("/test/page")).location.startswith(directory.site.idp.sso_url)


def test_a_domain_moves_from_one_to_another(directory: Directory) -> None:
    """In whatever order the files are written."""
    directory.write("acme", "email_domains acme.test shared.test;\n")
    directory.write("globex", "email_domains globex.test;\n")
    directory.start()
    time.sleep(1.1)  # whose rules are newer, workers tell by the second
    directory.write("globex", "email_domains globex.test shared.test;\n")
    directory.nginx.wait_for_log("globex.conf of saml_idp_directory is not taken", SECONDS)
    shared = user("ada@shared.test")
    assert directory.login(Browser(), "globex", **shared) == 403
    directory.write("acme", "email_domains acme.test;\n")
    wait_for_all_workers(lambda: directory.login(Browser(), "globex", **shared) == 200, "the domain to be globex's")
    assert directory.login(Browser(), "acme", **shared) == 403
    # Both at once, the first in the alphabet being the one that gains.
    directory.write("acme", "email_domains acme.test shared.test;\n")
    directory.write("globex", "email_domains globex.test;\n")
    wait_for_all_workers(lambda: directory.login(Browser(), "acme", **shared) == 200, "the domain to be acme's again")
    assert directory.login(Browser(), "globex", **shared) == 403


def test_a_domain_is_free_when_its_owner_goes(directory: Directory) -> None:
    directory.write("acme", "email_domains shared.test;\n")
    directory.write("globex", "email_domains shared.test;\n")
    directory.start()
    assert directory.status("globex") == 403
    directory.file("acme").unlink()
    directory.comes("globex")
    directory.goes("acme")


class Contest:
    """globex has what only one may have, and aaa, the first in the alphabet, wants it too."""

    def __init__(self, directory: Directory, lines: str) -> None:
        self.directory, self.nginx, self.lines = directory, directory.nginx, lines

    def has(self, more: str = "") -> None:
        self.directory.write("globex", self.lines + more)

    def wants(self, name: str = "aaa") -> None:
        self.directory.idp("globex")
        self.directory.write(name, f"metadata {self.directory.metadata('globex')};\n{self.lines}", metadata="")

    def refused(self) -> None:
        self.nginx.wait_for_log("aaa.conf of saml_idp_directory is not taken", SECONDS)

    def states(self) -> set[tuple[int, int]]:
        """Of aaa and globex, as the workers have it."""
        return {(self.directory.status("aaa"), self.directory.status("globex")) for _ in range(8)}

    def stays(self) -> None:
        wait_for_all_workers(lambda: self.states() == {(403, 302)}, "globex to have it")


@pytest.fixture(params=["email_domains globex.com .globex.com;\n", "allow_unsolicited on;\n"], ids=["domain", "entity"])
def contest(request: pytest.FixtureRequest, directory: Directory) -> Contest:
    return Contest(directory, request.param)


def test_who_has_it_keeps_it_at_a_reload(contest: Contest) -> None:
    """The file that came later may be the older one by then."""
    contest.has()
    contest.directory.start()
    contest.wants()
    contest.refused()
    time.sleep(1.1)
    contest.has("force_authn on;\n")
    contest.nginx.wait_for_log('"globex" of .* is in force anew', SECONDS)
    for _ in range(2):
        contest.nginx.reload()
        assert contest.states() == {(403, 302)}
        contest.stays()


def test_who_has_it_keeps_it_when_a_worker_dies(contest: Contest) -> None:
    """Both came after the master had read the folder."""
    contest.directory.write("acme")
    contest.directory.start()
    contest.has()
    contest.directory.comes("globex")
    contest.wants()
    contest.refused()
    for _ in range(4):
        contest.nginx.kill_worker()
        assert contest.states() == {(403, 302)}
    contest.nginx.reload()
    assert contest.states() == {(403, 302)}


def test_a_worker_that_is_late_follows_the_others(contest: Contest) -> None:
    """What it sees at once came in another order."""
    contest.directory.write("acme")
    contest.directory.start()
    late = max(contest.nginx.workers())
    os.kill(late, signal.SIGSTOP)
    try:
        contest.has()
        contest.nginx.wait_for_log('"globex" of .* is in force', SECONDS)
        contest.wants()
        contest.refused()
        time.sleep(1.1)
        contest.has("force_authn on;\n")
        contest.nginx.wait_for_log('"globex" of .* is in force anew', SECONDS)
    finally:
        os.kill(late, signal.SIGCONT)
    contest.stays()
    contest.directory.file("globex").unlink()
    wait_for_all_workers(lambda: contest.states() == {(302, 403)}, "aaa to have it")


def test_who_has_it_keeps_it_at_a_restart(contest: Contest) -> None:
    """With saml_cache_path; also while the owner's file has a mistake."""
    contest.has()
    contest.directory.start(http=f"saml_cache_path {contest.nginx.folder / 'cache'};")
    contest.wants()
    contest.refused()
    contest.has("force_authn on;\n")
    contest.nginx.wait_for_log('"globex" of .* is in force anew', SECONDS)
    for _ in range(2):
        contest.nginx.stop()
        assert "globex.conf" not in contest.nginx.test().output
        contest.nginx.start()
        contest.stays()
    contest.nginx.stop()
    contest.has("a mistake;\n")
    contest.nginx.start()
    assert contest.states() == {(403, 403)}
    contest.has()
    contest.stays()
    contest.directory.file("globex").unlink()
    wait_for_all_workers(lambda: contest.states() == {(302, 403)}, "aaa to have it")
    contest.nginx.reload()
    assert contest.states() == {(302, 403)}


def test_a_mistake_of_who_has_it_is_no_gift(contest: Contest) -> None:
    contest.has()
    contest.directory.start()
    contest.wants()
    contest.refused()
    contest.has("a mistake;\n")
    contest.nginx.wait_for_log("globex.conf of saml_idp_directory is not taken", SECONDS)
    contest.nginx.reload()
    assert contest.states() == {(403, 403)}
    contest.nginx.kill_worker()
    assert contest.states() == {(403, 403)}
    contest.has()
    contest.stays()


def test_nobody_gets_what_nobody_is_known_to_have_had(contest: Contest) -> None:
    """A start without memory: neither the first in the alphabet nor the one that comes next."""
    contest.directory.write("acme")
    contest.wants()
    contest.has()
    contest.directory.configure()
    result = contest.nginx.test()
    assert result.ok, result.output
    for name in ("aaa", "globex"):
        assert f"{name}.conf of saml_idp_directory is not taken" in result.output, result.output
    assert "nobody knows whose it was" in result.output
    contest.nginx.start()
    contest.wants("bbb")
    contest.nginx.wait_for_log("bbb.conf of saml_idp_directory is not taken", SECONDS)
    time.sleep(2.5)
    contest.nginx.kill_worker()
    assert contest.states() == {(403, 403)} and contest.directory.status("bbb") == 403
    assert contest.directory.status("acme") == 302
    contest.nginx.reload()
    assert contest.states() == {(403, 403)}
    contest.directory.file("bbb").unlink()
    contest.directory.write("aaa")
    wait_for_all_workers(lambda: contest.states() == {(302, 302)}, "both to be in force")
    contest.wants()
    contest.refused()
    contest.nginx.reload()
    assert (403, 302) in contest.states()


def test_a_domain_of_an_organisation_that_left_is_free_at_a_reload(contest: Contest) -> None:
    contest.has()
    contest.directory.start()
    contest.directory.comes("globex")
    contest.directory.file("globex").unlink()
    contest.wants()
    contest.nginx.reload()
    assert contest.states() == {(302, 403)}


def test_two_unsolicited_ones_of_one_entity(directory: Directory) -> None:
    directory.write("acme", "allow_unsolicited on;\n")
    directory.start()
    text = f"metadata {directory.metadata('acme')};\nallow_unsolicited on;\n"
    directory.write("globex", text, metadata="")
    found = directory.nginx.wait_for_log("globex.conf of saml_idp_directory is not taken: .*", SECONDS)[0]
    assert "nobody could tell whose an answer is" in found and "globex.conf:2;" in found


def test_names_written_out(directory: Directory) -> None:
    """auth_saml NAME of a file: closed until it comes, and when it is gone."""
    directory.configure(auth_saml="acme globex", locations="location /one/ { auth_saml acme; proxy_pass http://%%upstream%%; }")
    result = directory.nginx.test()
    assert result.ok and result.output.count("nobody can log in there until it comes") == 2, result.output
    directory.nginx.start()
    page, one = directory.site.url("/page"), directory.site.url("/one/page")
    for url in (page, one):
        answer = Browser().get(url)
        assert answer.status == 503 and "Reference number" in answer.text
    directory.write("acme", "display_name 'Acme Corporation';\n")
    wait_for_all_workers(lambda: Browser().get(one).status == 302, "acme to be in force")
    chooser = Browser().get(page)
    assert chooser.status == 200 and "Acme Corporation" in chooser.text and "globex" not in chooser.text
    browser = Browser()
    answer = directory.idp("acme").login(browser, one)
    assert browser.follow(answer).status == 200 and browser.get(page).status == 200
    directory.write("globex")
    wait_for_all_workers(lambda: "globex" in Browser().get(page).text, "globex to be a choice")
    directory.file("acme").unlink()
    wait_for_all_workers(lambda: browser.get(one).status == 503, "acme to be gone")
    assert browser.get(page).status == 200 and "Acme" not in browser.get(page).text


def test_a_worker_that_follows_a_dead_one_serves_what_is_in_force(directory: Directory) -> None:
    """The master read the folder long ago: organisations that went since then must not come back for a moment."""
    directory.write("acme")
    directory.write("globex")
    directory.start()
    browser = Browser()
    assert directory.login(browser, "acme") == 200
    directory.file("acme").unlink()
    directory.write("initech")
    directory.goes("acme")
    directory.comes("initech")
    time.sleep(1.5)
    for _ in range(3):
        directory.nginx.kill_worker()
        for _ in range(6):
            assert not directory.is_in(browser, "acme")
            assert directory.status("acme") == 403 and directory.status("initech") == 302
    directory.nginx.allow_in_log("exited on signal 9")


def test_what_was_written_while_the_master_read_it_can_go(directory: Directory) -> None:
    """Of such a file the master knows only that it is to be read again: when it is gone by then, that is a change too."""
    directory.write("acme")
    directory.write("globex")
    # Its times change all the while, and what it holds does not.
    with meanwhile(lambda: os.utime(directory.metadata("acme")), 0.001):
        directory.start()
    assert directory.nginx.wait_for_log('saml_idp "acme" of .* is in force anew')
    directory.file("acme").unlink()
    directory.goes("acme")
    for _ in range(3):
        directory.nginx.kill_worker()
        assert {directory.status("acme") for _ in range(6)} == {403} and directory.status("globex") == 302
    directory.nginx.allow_in_log("exited on signal 9")


def test_reload_reads_it_anew(directory: Directory) -> None:
    directory.write("acme")
    directory.start()
    browser = Browser()
    assert directory.login(browser, "acme") == 200
    directory.write("globex")
    directory.nginx.reload()
    assert directory.login(Browser(), "globex") == 200 and directory.is_in(browser, "acme")
    directory.file("globex").unlink()
    directory.goes("globex")


def test_metadata_by_url_in_a_file(directory: Directory, keys: KeyStore) -> None:
    with MetadataServer(keys.get("metadata-tls", "ec256", hosts=("localhost",))) as server:
        directory.configure(http=f"saml_cache_path {directory.nginx.folder / 'cache'};")
        trust_metadata_server(directory, server)
        directory.nginx.start()
        lines = f"metadata {server.url('/acme')};\nmetadata_refresh 1s;\n"
        directory.write("acme", lines, metadata="")
        wait_for_all_workers(lambda: directory.status("acme") == 503, "acme to wait for its metadata")
        server.documents["/acme"] = directory.idp("acme").metadata()
        directory.comes("acme")
        browser = Browser()
        assert directory.login(browser, "acme") == 200
        # Another line does not lose what was fetched, even while the server is down.
        document = server.documents.pop("/acme")
        directory.write("acme", lines + "require_signed both;\n", metadata="")
        directory.nginx.wait_for_log('"acme" of .* is in force anew', SECONDS)
        wait_for_all_workers(lambda: directory.login(Browser(), "acme", sign="assertion") == 403, "both to be required")
        assert directory.is_in(browser, "acme")
        # And the refresh goes on, with the lines as they are now.
        old = directory.idps["acme"]
        new = TestIdp(directory.site.idp.key, old.entity_id, old.sso_url)
        server.documents["/acme"] = new.metadata()
        assert server.documents["/acme"] != document
        directory.idps["acme"] = new
        wait_for_all_workers(lambda: directory.login(Browser(), "acme", sign="both") == 200, "the new key")
        assert directory.login(Browser(), "acme", sign="assertion") == 403
        directory.file("acme").unlink()
        directory.goes("acme")
        asked = len(server.requests)
        time.sleep(2.5)
        assert len(server.requests) <= asked + 1, "nobody asks for what is gone"


def test_a_list_of_users_may_be_shared_tomorrow(directory: Directory) -> None:
    """Whoever writes a file into the folder must not be able to name the users of another organisation."""
    users = directory.nginx.folder / "users.conf"
    users.write_text("user ada;\n")
    policy = f"saml_policy listed {{ users {users}; provisioning required; }}"
    directory.write("acme", "policy listed;\n")
    directory.configure(http=policy)
    result = directory.nginx.test()
    assert not result.ok and "by any file of saml_idp_directory that names the policy" in result.output, result.output
    users.write_text("user ada idp=acme;\nuser bob idp=later;\n")
    directory.configure(http=policy).nginx.start()
    assert directory.login(Browser(), "acme", name_id="ada") == 200
    directory.write("globex", "policy listed;\n")
    directory.comes("globex")
    assert directory.login(Browser(), "globex", name_id="ada") == 403
    directory.write("later", "policy listed;\n")
    directory.comes("later")
    assert directory.login(Browser(), "later", name_id="bob") == 200


@pytest.mark.parametrize(
    "directive, says",
    [
        ("saml_idp_directory '';", "wants the path of a folder"),
        ("saml_idp_directory /nowhere/idps;", "cannot be listed (No such file or directory): its files stay in force as they were; make the folder"),
        ("saml_idp_directory /tmp; saml_idp_directory /tmp;", "directive is duplicate"),
    ],
    ids=["empty", "missing", "twice"],
)
def test_mistakes_of_the_directive(site: SamlSite, directive: str, says: str) -> None:
    site.configure(http=directive)
    result = site.nginx.test()
    assert not result.ok and says in result.output and re.search(r"nginx\.conf:\d+", result.output), result.output


@pytest.fixture
def many(directory: Directory) -> Iterator[Directory]:
    directory.idp("acme")
    for number in range(1000):
        text = f"metadata {directory.metadata('acme')};\nemail_domains o{number}.test;\n"
        (directory.folder / f"o{number}.conf").write_text(text)
    yield directory


def test_a_thousand(many: Directory) -> None:
    many.start()
    assert many.status("o0") == 302 and many.status("o999") == 302
    for number in range(1000):
        os.utime(many.file(f"o{number}"))
    many.nginx.wait_for_log('"o999" of .* is in force anew', 20)
    assert many.status("o500") == 302
    many.file("o500").unlink()
    many.goes("o500")


def trust_metadata_server(directory: Directory, server: MetadataServer) -> None:
    file = directory.nginx.config_file
    text = file.read_text()
    at = text.index("events {")
    file.write_text(f"{text[:at]}env SSL_CERT_FILE={server.tls.certificate_file};\n{text[at:]}")


def federation_of(idps: list[TestIdp], others: int) -> bytes:
    """With many others a look through it takes a while."""
    redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

    def entity(idp: TestIdp, place: str = "") -> etree._Element:
        return entity_descriptor(idp.entity_id + place, [(redirect, idp.sso_url)], [MetadataKey(idp.key)])

    return aggregate_xml([entity(idp) for idp in idps] + [entity(idps[0], f"/{n}") for n in range(others)])


def replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".test")
    fresh.write_bytes(content)
    fresh.rename(path)


@contextmanager
def rewritten_copies(cache: Path) -> Iterator[None]:
    """As by a worker that fetches documents all the time: the other workers have something to read."""
    copies = {path: path.read_bytes() for path in cache.glob("a*.xml")}

    def rewrite() -> None:
        for path, content in copies.items():
            replace(path, content)
        replace(cache / ".generation", str(time.monotonic()).encode())

    with meanwhile(rewrite, 0.2):
        yield


def test_a_document_counts_for_the_lines_that_it_was_checked_for(directory: Directory, keys: KeyStore) -> None:
    """One that was looked through for another entity, while the file changed, never comes to be in force. (The change may
    come at a time that shows nothing.)"""
    cache = directory.nginx.folder / "cache"
    acme, other = directory.idp("acme"), directory.idp("other")
    with MetadataServer(keys.get("metadata-tls", "ec256", hosts=("localhost",))) as server:
        server.documents = {"/two": federation_of([acme, other], 0), "/many": federation_of([acme], 4000)}
        directory.nginx.workers_wanted = 1
        directory.configure(http=f"saml_cache_path {cache};", server="saml_max_metadata_size 64m;")
        trust_metadata_server(directory, server)
        directory.nginx.start()

        def write(name: str, path: str, idp: TestIdp, lines: str = "") -> None:
            directory.write(name, f"metadata_entity {idp.entity_id};{lines}", metadata=f"metadata {server.url(path)};")

        def asks(idp: TestIdp) -> bool:
            return idp.sso_url + "?" in (Browser().get(directory.site.url("/acme/page")).location or "")

        write("aaa", "/many", acme)  # is looked through before acme's
        write("acme", "/two", acme)
        for n in range(6):
            write(f"often{n}", "/two", acme, "metadata_refresh 1s;")
        wait_until(lambda: asks(acme) and directory.status("aaa") == 302, 2 * SECONDS, "the metadata to come")
        with rewritten_copies(cache):
            for idp in (other, acme) * 3:
                write("acme", "/two", idp)
                wait_until(lambda idp=idp: asks(idp), 2 * SECONDS, "the new entity to be asked")  # type: ignore[misc]
                until = time.monotonic() + 2.5
                while time.monotonic() < until:
                    assert asks(idp), "the entity of the lines before"
                    time.sleep(0.02)


def test_a_draining_worker_never_overwrites_by_looking_at_the_files(directory: Directory, browser: Browser) -> None:
    """It looks at the files as long as it lives, but what it knows of policies is older."""
    rules = "group Platform idp_id=platform; group Engineering idp_id=engineering;"
    directory.write("acme", "policy main;")
    directory.start(http=f"saml_policy main {{ {rules} }}")
    directory.comes("acme")
    site = directory.site
    assert directory.login(browser, "acme", name_id="ada@acme.test", attributes=sent(groups=["platform", "engineering"])) == 200

    def groups() -> str | None:
        return browser.get(site.url("/acme/page")).echo().header("X-SSO-Groups")

    assert groups() == "Platform,Engineering"
    cookie = browser.cookies.header_for(site.url("/acme/page"))
    with RawConnection(site.url()) as connection:
        connection.send(f"GET /acme/old HTTP/1.1\r\nHost: {site.host}\r\nCookie: {cookie}\r\n")
        directory.configure(http=f"saml_policy main {{ {rules.replace('idp_id=platform', 'idp_id=other')} }}")
        site.nginx.reload(wait_for_old=False)
        assert groups() == "Engineering"
        time.sleep(4)  # it has looked at the files again, later than the new workers began
        old = connection.send("Connection: close\r\n\r\n").response().echo().header("X-SSO-Groups")
        assert old == "Engineering"
        assert {groups() for _ in range(5)} == {"Engineering"}
