"""What `nginx -t` says of saml_policy, lists of users, e-mail domains and saml_space: the place and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from sallyport_testing.config_case import IDP, Case, accepted, ids, refused, run, warned
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.saml_idp import TestIdp

METADATA = "metadata %%files%%/idp.xml;"
LONGEST = "n" * 1024


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Path:
    """The files that the cases name."""
    folder = tmp_path_factory.mktemp("conf_policy")
    TestIdp(keys.get("idp")).write_metadata(folder / "idp.xml")
    (folder / "users.conf").write_text("user ada@example.com group=Manual;\n")
    (folder / "idps").mkdir()
    (folder / "lines.conf").write_text("space Trial;\nrole Admin default;\n")
    (folder / "bad-bytes.conf").write_bytes(b"space Trial;\nspace Caf\xe9;\n")
    (folder / "latin-1-id.conf").write_bytes(b"group A;\nmap_group a exact b A; group B idp_id=Caf\xe9;\n")
    (folder / "latin-1-text.conf").write_bytes(b"group A;\nmap_group ou contains Caf\xe9 A;\n")
    (folder / "latin-1-attribute.conf").write_bytes(b"group A;\nmap_group Caf\xe9 contains x A;\n")
    (folder / "bad-lines.conf").write_text("space Trial;\nspaces Trial;\n")
    return folder


def policy(*lines: str, use: bool = True) -> str:
    """A policy with a line on each line, and an IdP that has it."""
    return "saml_policy main {\n" + "\n".join(lines) + "\n}\n" + (idp("okta", "policy main;") if use else IDP)


def idp(name: str, *lines: str) -> str:
    return f"saml_idp {name} {{ {METADATA}\n" + "\n".join(lines) + "\n}\n"


def line(name: str, text: str, *says: str) -> Case:
    """A line of a policy that is a mistake."""
    return Case(name, ('saml_policy "main"', *says), idp=policy(f"{text} # HERE"))


def required(name: str, rules: str, pairs: str, *says: str, more: str = "", auth: str = "okta") -> Case:
    """What a location asks for, of users whose IdP has these rules."""
    return Case(name, says, idp=policy(rules) + more, location=f"auth_saml {auth};\nsaml_require {pairs}; # HERE")


def word(name: str, value: str, says: str) -> Case:
    """A line that takes one of two words."""
    return Case(f"{name}_word", (f'"{name}" takes {says}, not "{value}"',), idp=policy(f"{name} {value}; # HERE"))


MANY = ("group A; group Manual;", 'group "B b" idp_id=x "idp_id=in words";', "map_group department exact R&D A;",
        'map_group groups contains "ad min" A;')  # fmt: skip
KNOWN = 'space Trial; space A:B; role Admin; role "Space Member" default; group A idp_id=x;'
OTHER = "saml_policy other {\nspace Sales; group B idp_id=b;\n}\n" + idp("second", "policy other;")

ACCEPTED = [
    Case("empty", idp=policy()),
    Case("colons_elsewhere", idp=policy("space urn:x:space; account_role urn:x:admin; group urn:x:group idp_id=urn:x;")),
    Case("every_line", idp=policy(
        'space Trial; space "Data Science"; role Admin; role "Space Member" default; account_role Owner;',
        "account_role Member default;", *MANY, "spaces_from a; roles_from http://example.com/claims/role;",
        "groups_from urn:oid:1.2; timezone_from tz; group_sync on; users %%files%%/users.conf;",
        "provisioning required; profile every_login; group_overage refuse; on_change login;",
    )),
    Case("the_other_words", idp=policy("group_sync off; provisioning optional; group_overage without;",
                                       "on_change resolve; users %%files%%/users.conf;")),
    Case("rules_before_their_group", idp=policy("map_group a exact b A;", "group A;")),
    Case("shared", idp=policy() + idp("second", "policy main;"), location="auth_saml okta second;"),
    Case("behind_the_idp", idp=idp("okta", "policy main;") + "saml_policy main { }"),
    Case("include", idp=policy("include %%files%%/lines.conf;", "space DevOps;")),
    Case("longest_name", idp=policy(f"space {LONGEST}; group {LONGEST} idp_id={LONGEST};")),
    Case("groups_with_commas", idp=policy('group "R&D, worldwide" idp_id=cn=rd,ou=groups;')),
    Case("same_name_of_each_kind", idp=policy("space A; role A default; account_role A default; group A idp_id=A;")),
    Case("email_domains", idp=idp("okta", "email_domains example.com .example.com;", "email_domains b\u00fccher.example;")),
    Case("email_domains_apart", location="auth_saml okta second;",
         idp=idp("okta", "email_domains example.com .a.example.com;") + idp("second", "email_domains .b.example.com a.example.com;")),
    Case("saml_space", http="map $host $tenant { default A; }", server="saml_space $tenant;",
         location='auth_saml okta; saml_space "$tenant-$arg_x"; saml_require role=Admin;',
         locations='location /x { auth_saml okta; saml_space off; return 200 ""; } location /y { auth_saml okta; return 200 ""; }'),
    required("known_names", KNOWN,
             'group=A space=Trial space=Trial:Admin "role=Space Member" space=A:B:Admin user=B email=B attr:x=B'),
    required("names_of_a_policy_without_lines", "account_role B;", "group=B space=B:C role=D"),
    required("names_of_one_of_two_policies", KNOWN, "group=B space=Sales role=Any", more=OTHER, auth="okta second"),
    required("names_of_an_idp_without_policy", KNOWN, "group=B space=B role=B", more=idp("second"), auth="okta second"),
    required("names_by_variables", KNOWN, "group=$arg_g space=Trail:$arg_r"),
    Case("names_of_any_idp", http="map $host $tenant { default okta; }", idp=policy(KNOWN) + OTHER,
         location="auth_saml $tenant; saml_require group=A group=B space=Sales;"),
    Case("names_of_another_location", idp=policy(KNOWN) + OTHER, server="saml_require group=A group=B;",
         locations='location /x { auth_saml second; return 200 ""; }'),
    Case("names_where_a_directory_may_bring_the_idp", http="saml_idp_directory %%files%%/idps; map $host $tenant { default okta; }",
         idp=policy(KNOWN), location="auth_saml $tenant; saml_require group=B;"),
]  # fmt: skip

REFUSED = [
    Case("name", ('"saml_policy" wants a name',), http='saml_policy "a b" { # HERE\n}'),
    Case("called_off", ('"saml_policy" wants a name',), http="saml_policy off { # HERE\n}"),
    Case("without_name", ("invalid number of arguments",), http="saml_policy { # HERE\n}"),
    Case("twice", ('named "main" stands already at', "choose another name"),
         http="saml_policy main { }\nsaml_policy main { # HERE\n}"),
    Case("list_of_who_may_enter_that_nobody_uses", ("is used by no saml_idp", "everybody of that IdP could enter"),
         http="saml_policy main { # HERE\nprovisioning required; users %%files%%/users.conf;\n}"),
    Case("quoted_identifier", ("would be part of the identifier", '"idp_id=..."'),
         idp=policy("group A idp_id=\"x\"; # HERE")),
    Case("in_a_server", ('"saml_policy" directive is not allowed here',), server="saml_policy x { # HERE\n}"),
    Case("unknown_policy", ('saml_idp "okta"', 'no saml_policy "other"', "saml_policy other {", "correct the name"),
         idp=policy(use=False).replace(IDP, "") + idp("okta", "policy other; # HERE")),
    Case("policy_twice", ('"policy" stands twice',), idp=idp("okta", "policy a;", "policy b; # HERE")),
    # its lines
    line("unknown_line", "spaces Trial;", 'unknown line "spaces"'),
    Case("nested", ('unexpected "{"',), idp=policy("space { } # HERE")),
    line("idp_line", "email_domains example.com;", 'unknown line "email_domains"'),
    line("space_empty", "space;", "invalid number of values", "it takes 1"),
    line("space_two", "space Trial DevOps;", "invalid number of values"),
    line("space_default", "space Trial default;", "invalid number of values"),
    line("space_blank", 'space "";', "a name of 1 to 1024 bytes"),
    line("space_long", f"space {LONGEST}n;", "a name of 1 to 1024 bytes"),
    line("space_control", 'space "a\\tb";', "without control characters"),
    Case("space_bytes", ("bad-bytes.conf:2", "UTF-8"), idp=policy("include %%files%%/bad-bytes.conf;")),
    *(Case(f"{name}_bytes", (f"{name}.conf:2", "would never match: it is not UTF-8", "save the file as UTF-8"),
           idp=policy(f"include %%files%%/{name}.conf;")) for name in ("latin-1-id", "latin-1-text", "latin-1-attribute")),
    line("space_comma", 'space "Trial,DevOps";', '"Trial,DevOps" would never match', "split at commas"),
    line("space_padded", 'space " Trial";', "would never match", "blanks at both ends are cut off"),
    line("space_twice", "space A;\nspace A;", '"A" stands already at', "remove one"),
    line("role_comma", 'role "a,b";', "would never match"),
    line("role_two_words", "role Space Admin;", 'may only stand "default"', "put a name with blanks in quotes"),
    line("role_three", "role Space Admin default;", "invalid number of values"),
    line("role_twice", "role A default;\nrole A;", '"A" stands already at'),
    line("two_defaults", "role A default;\nrole B default;", '"A" of', "is the default already", "only one can be"),
    line("account_role_twice", "account_role A;\naccount_role A;", "stands already at"),
    line("account_two_defaults", "account_role A default;\naccount_role B default;", "is the default already"),
    line("group_empty", "group;", "at least 1"),
    line("group_blank", 'group "";', "a name of 1 to 1024 bytes"),
    line("group_control", 'group "a\\nb";', "without control characters"),
    line("group_twice", "group A;\ngroup A idp_id=x;", '"A" stands already at', "write all its identifiers behind one"),
    line("group_two_words", "group R and D;", '"idp_id=ID" parameters, not "and"', "put a name with blanks in quotes"),
    line("group_other_parameter", "group A id=x;", 'not "id=x"'),
    line("group_empty_id", "group A idp_id=;", 'not "idp_id="'),
    line("group_quoted_id", 'group A idp_id="x";', '"x"'),
    line("group_id_twice", "group A idp_id=x idp_id=x;", '"idp_id=x" stands twice'),
    line("group_guid_twice", "group A idp_id=3f2b0c1e-5a4b-4c9d-8e7f-abcdef012345\nidp_id=3F2B0C1E-5A4B-4C9D-8E7F-ABCDEF012345;",
         '"idp_id=3F2B0C1E-5A4B-4C9D-8E7F-ABCDEF012345" stands twice'),
    line("rule_short", "group A;\nmap_group department exact A;", "invalid number of values", "it takes 4"),
    line("rule_long", "group A;\nmap_group department exact R and D A;", "invalid number of values"),
    Case("rule_condition", ('"map_group" takes "exact" or "contains", not "equals"',),
         idp=policy("group A;", "map_group department equals R&D A; # HERE")),
    line("rule_unknown_group", "group A;\nmap_group department exact R&D B;", 'the unknown group "B"', '"group "B";"'),
    line("rule_empty_value", 'group A;\nmap_group department contains "" A;', "a text that is not empty"),
    line("rule_empty_attribute", 'group A;\nmap_group "" exact x A;', "wants an attribute"),
    line("rule_twice", "group A;\nmap_group d exact x A;\nmap_group d exact x A;", "stands twice", "remove one"),
    *(line(f"{name}_{kind}", f"{name} {value};", f'"{name}" takes the alias or the Name')
      for name in ("spaces_from", "roles_from", "groups_from", "timezone_from")
      for kind, value in (("empty", '""'), ("variable", "$saml_groups"))),
    word("group_sync", "yes", '"on" or "off"'),
    word("provisioning", "on", '"optional" or "required"'),
    word("profile", "always", '"every_login" or "first_login"'),
    word("group_overage", "off", '"without" or "refuse"'),
    word("on_change", "reload", '"login" or "resolve"'),
    *(line(f"{name}_two", f"{name} a b;", "invalid number of values", "it takes 1")
      for name in ("group_sync", "provisioning", "profile", "group_overage", "on_change", "users", "groups_from")),
    *(line(f"{name}_twice", f"{name} {value};\n{name} {value};", f'"{name}" stands twice')
      for name, value in (("group_sync", "on"), ("provisioning", "optional"), ("profile", "every_login"),
                          ("group_overage", "refuse"), ("on_change", "login"), ("spaces_from", "a"),
                          ("users", "%%files%%/users.conf"))),
    line("required_without_users", "provisioning required;", "would refuse everybody", '"users FILE;"'),
    line("unsynced_without_users", "group_sync off;", "come from the list of users alone", '"users FILE;"'),
    line("users_redis", "users redis;", '"users redis" needs "saml_session_store redis=NAME;"', '"users FILE;"'),
    line("users_missing", "users nosuch.conf;", "users: cannot read", "nosuch.conf", "No such file", "check the path"),
    line("users_folder", "users %%files%%;", "users: cannot read", "it is not a file"),
    Case("include_with_a_mistake", ("bad-lines.conf:2", 'unknown line "spaces"'),
         idp=policy("include %%files%%/bad-lines.conf;")),
    # e-mail domains
    *(Case(f"domain_{name}", ('saml_idp "okta": "email_domains"', *says), idp=idp("okta", f"email_domains {value}; # HERE"))
      for name, value, says in (
          ("address", "ada@example.com", ("holds an @", "write the domain alone")),
          ("asterisk", "*.example.com", ("holds an asterisk", "write .example.com")),
          ("dot_at_the_end", "example.com.", ("ends in a dot",)),
          ("empty", '""', ("is not a domain",)), ("dot", ".", ("is not a domain",)),
          ("two_dots", "a..example.com", ("is not a domain",)), ("blank", '"example.com example.org"', ("is not a domain",)),
          ("url", "https://example.com", ("is not a domain",)), ("comma", "example.com,example.org", ("is not a domain",)),
          ("number", "192.0.2.1", ("is not a domain",)), ("full_width", "\uff45xample.com", ("is not a domain",)),
          ("label_too_long", "a" * 64 + ".example.com", ("is not a domain",)),
          ("bad_xn", "xn--a.example", ("is not a domain",)),
          ("twice", "example.com EXAMPLE.com", ("is there already, as example.com", "remove one")),
          ("twice_by_another_spelling", "b\u00fccher.example xn--bcher-kva.example", ("is there already",)),
      )),
    Case("domains_empty", ("invalid number of values", "at least 1"), idp=idp("okta", "email_domains; # HERE")),
    *(Case(f"domain_of_two_{name}", ('saml_idp "second"', f'"email_domains {ours}"', f'"email_domains {theirs}" of saml_idp "okta"',
                                    "a domain belongs to one IdP"),
           idp=idp("okta", f"email_domains {theirs};") + f"saml_idp second {{ # HERE\n{METADATA} email_domains {ours};\n}}")
      for name, theirs, ours in (("same", "example.com", "example.com"), ("below", ".example.com", "a.example.com"),
                                 ("above", "a.b.example.com", ".example.com"), ("both_below", ".b.example.com", ".example.com"))),
    # saml_space
    Case("space_empty_value", ('"saml_space" wants', "a variable"), location='auth_saml okta; saml_space ""; # HERE'),
    Case("space_no_value", ("invalid number of arguments",), location="auth_saml okta; saml_space; # HERE"),
    Case("space_two_values", ("invalid number of arguments",), location="auth_saml okta; saml_space a b; # HERE"),
    Case("space_unknown_variable", ('unknown "nosuch" variable',), location="auth_saml okta; saml_space $nosuch;"),
    Case("space_twice", ('"saml_space" directive is duplicate',), location="auth_saml okta; saml_space a;\nsaml_space b; # HERE"),
    Case("space_without_auth", ('"saml_space" without "auth_saml"', "everybody could enter", "auth_saml NAME"),
         locations="location /x {\nsaml_space a; # HERE\n}"),
    Case("space_in_http_without_auth", ('"saml_space" without "auth_saml"',), location="", http="saml_space a; # HERE"),
]  # fmt: skip

WARNED = [
    Case("nobody_uses_it", ('saml_policy "main" is used by no saml_idp', '"policy main;"'),
         idp=policy("space A;", use=False).replace("main {", "main { # HERE")),
    Case("space_where_a_login_is_optional", ('"saml_space" beside "auth_saml_mode optional"', "without a session passes"),
         location="auth_saml okta; auth_saml_mode optional;\nsaml_space A; # HERE"),
    Case("no_default_role", ('saml_policy "main"', "no role is the default", '"role NAME default;"'),
         idp=policy("role A; # HERE", "role B;")),
    *(Case(f"unsynced_{name}", ('saml_policy "main"', 'with "group_sync off"', f'no {says} ever counts', '"group_sync on;"'),
           idp=policy("group_sync off; # HERE", "users %%files%%/users.conf; group Manual;", lines))
      for name, lines, says in (
          ("identifiers", "group A idp_id=x;", '"idp_id="'), ("rules", "map_group a exact b Manual;", '"map_group"'),
          ("source", "groups_from a;", '"groups_from"'), ("overage", "group_overage refuse;", '"group_overage refuse"'),
          ("all", "group A idp_id=x; map_group a exact b A; groups_from a; group_overage refuse;",
           '"idp_id=", "map_group", "groups_from" or "group_overage refuse"'),
      )),
    Case("group_of_nobody", ('nobody can be in "On Call"', '"idp_id=On Call"', '"users FILE;"'),
         idp=policy("group A idp_id=a; group B; map_group a exact b B;", 'group "On Call"; # HERE')),
    Case("role_with_a_colon", ('"urn:x:admin" has a colon', '"space=NAME:ROLE"', '"saml_space"', '"saml_require role=urn:x:admin"'),
         idp=policy("role A default; space urn:x:space; account_role urn:x:admin;", "role urn:x:admin; # HERE")),
    Case("first_login", ('saml_policy "main"', '"profile first_login"', "saml_session_zone"),
         idp=policy("profile first_login; # HERE")),
    *(required(f"unknown_{name}", KNOWN, f"user=ada {pair}", f'"saml_require {pair}"', f'knows the {what}', "so nobody meets it",
               f'write "{what};" there')
      for name, pair, what in (
          ("group", "group=Enginering", 'group "Enginering"'), ("group_by_identifier", "group=x", 'group "x"'),
          ("space", "space=Trail", 'space "Trail"'), ("space_of_a_role", "space=Trail:Admin", 'space "Trail"'),
          ("space_with_a_colon", "space=A:B", 'space "A"'),
          ("role", "role=Admn", 'role "Admn"'), ("role_in_a_space", "space=Trial:Admn", 'role "Admn"'),
      )),
    Case("space_unknown",
         ('"saml_space Trail": no saml_policy of the IdPs there knows the space "Trail"', 'write "space "Trail";" there'),
         idp=policy(KNOWN), location="auth_saml okta;\nsaml_space Trail; # HERE"),
    required("unknown_to_two_policies", KNOWN, "group=C", 'no saml_policy of the IdPs there knows the group "C"', more=OTHER,
             auth="okta second"),
    Case("unknown_to_any_idp", ('knows the group "C"',), http="map $host $tenant { default okta; }", idp=policy(KNOWN) + OTHER,
         location="auth_saml $tenant;\nsaml_require group=C; # HERE"),
    Case("space_switched_off", ('"saml_space" has no effect', '"auth_saml off"'),
         locations="location /x { auth_saml off;\nsaml_space a; # HERE\n}"),
]  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED, ids=ids)
def test_accepted(nginx: Nginx, files: Path, case: Case) -> None:
    accepted(nginx, files, case)


@pytest.mark.parametrize("case", REFUSED, ids=ids)
def test_refused(nginx: Nginx, files: Path, case: Case) -> None:
    refused(nginx, files, case)


@pytest.mark.parametrize("case", WARNED, ids=ids)
def test_warned(nginx: Nginx, files: Path, case: Case) -> None:
    warned(nginx, files, case)


def test_a_name_that_many_locations_ask_for_is_warned_of_once(nginx: Nginx, files: Path) -> None:
    more = "".join(f'location /{each} {{ return 200 ""; }}' for each in "abc")
    server = "auth_saml okta; saml_require group=B;"
    result = run(nginx, files, Case("once", idp=policy(KNOWN), server=server, location="", locations=more))
    assert result.ok and result.output.count("[warn]") == 1, result.output


# Lists of users

RULES = ("space Trial; role Admin; role Member default;", "group Manual; group Synced idp_id=x;")


@dataclass(frozen=True)
class UsersFile:
    """A list of users; the line that ends in `# HERE` is the one that is named."""

    name: str
    text: str
    says: tuple[str, ...] = ()
    idps: int = 1

    def case(self, folder: Path) -> Case:
        path = folder / f"{self.name}.users"
        path.write_bytes(self.text.encode("utf-8", "surrogateescape"))
        lines = self.text.splitlines()
        marked = [f"{path}:{number}" for number, line in enumerate(lines, 1) if line.endswith("# HERE")]
        second = idp("second", "policy main;") if self.idps > 1 else ""
        return Case(self.name, (*self.says, *marked), idp=policy(*RULES, f"users {path};") + second,
                    location="auth_saml okta second;" if second else "auth_saml okta;")  # fmt: skip


LISTED = [
    UsersFile("nobody", "# nobody yet\n"),
    UsersFile("bom", "\ufeffuser a;\r\nuser b;\r\n"),
    UsersFile("all", """
        user ada@example.com idp=okta group=Manual space="Trial:Admin" space=Other:Member;
        user 'a "quoted" key;' disabled; user disabled@example.com; user "idp=x" group='Manual'
            space="Trial";
    """.replace(" space=Other:Member", "")),
    UsersFile("two_idps", "user a idp=okta; user a idp=second; user a idp=*; user b@example.com idp=okta disabled;", idps=2),
]  # fmt: skip
MISTAKES = [
    UsersFile("empty_file", "", ("it is empty",)),
    UsersFile("word", "user a;\nusers b; # HERE", ('unknown word "users"', '"user KEY ...;"')),
    UsersFile("no_key", "user; # HERE", ('"user" has no KEY',)),
    UsersFile("empty_key", 'user ""; # HERE', ("the KEY is empty",)),
    UsersFile("parameter_as_key", "user group=Manual; # HERE", ("has no KEY before", "in quotes")),
    UsersFile("no_semicolon", "user a # HERE\nuser b;", ('no ";" before the "user" of line 2',)),
    UsersFile("no_semicolon_at_the_end", "user a;\nuser b # HERE\ngroup=Manual", ('has no ";"',)),
    UsersFile("lonely_semicolon", "user a;; # HERE", ('";" stands alone',)),
    UsersFile("brace", "user a { # HERE\n}", ('"{" has no meaning here',)),
    UsersFile("parameter", "user a role=Admin; # HERE", ('unknown word "role=Admin"', '"space=NAME:ROLE"')),
    UsersFile("two_words", "user a group=Manual Group; # HERE", ('unknown word "Group"', "written in quotes")),
    UsersFile("include", "include other.conf; # HERE", ('unknown word "include"',)),
    UsersFile("quote_open", 'user "a; # HERE\nuser b;', ("is not closed in its line",)),
    UsersFile("quote_behind", 'user "a"b; # HERE', ("text stands right behind a closing",)),
    UsersFile("quote_in_a_role", 'user a space=Trial:"Admin"; # HERE', ("quote opens in the middle", 'space="NAME:ROLE"')),
    UsersFile("control", 'user a\x01b; # HERE', ("control character",)),
    UsersFile("encoding", "user a;\nuser \udcffb; # HERE", ("not UTF-8",)),
    UsersFile("false_blank", "user a\u00a0group=Manual; # HERE", ("a blank that is not the space character",)),
    UsersFile("too_long", f"user a;\nuser {'x' * 70_000};", ("is longer than", 'is a ";" missing?', "too_long.users:2")),
    UsersFile("twice", "user a;\nuser b;\nuser a; # HERE", ("stands already in line 1", "one line of the two")),
    UsersFile("twice_in_other_letters", "user Ada@example.com;\nuser ada@EXAMPLE.com; # HERE", ("stands already in line 1",)),
    UsersFile("twice_with_idp", "user a idp=okta;\nuser a idp=okta; # HERE", ("with the same idp=",)),
    UsersFile("idp_twice", "user a idp=okta idp=okta; # HERE", ('"idp=" stands twice', '"idp=*"')),
    UsersFile("idp_empty", "user a idp=; # HERE", ('"idp=" lacks the name',)),
    UsersFile("disabled_twice", "user a disabled disabled; # HERE", ('"disabled" stands twice',)),
    UsersFile("group_empty", "user a group=; # HERE", ('"group=" lacks the name',)),
    UsersFile("group_twice", "user a group=Manual group=Manual; # HERE", ("stands twice for one user",)),
    UsersFile("group_padded", 'user a group=" Manual"; # HERE', ("begins or ends with a space",)),
    UsersFile("space_empty", "user a space=; # HERE", ('"space=" lacks the name',)),
    UsersFile("space_without_name", "user a space=:Admin; # HERE", ("lacks the name",)),
    UsersFile("space_without_role", "user a space=Trial:; # HERE", ("no role behind the colon",)),
    UsersFile("space_twice", "user a space=Trial space=Trial:Admin; # HERE", ("stands twice for one user",)),
    # against the policy
    UsersFile("unknown_group", "user a;\nuser b group=Manual group=Other; # HERE", ('has no group "Other"', '"group "Other";"')),
    UsersFile("unknown_space", "user a space=Other:Admin; # HERE", ('has no space "Other"', '"space "Other";"')),
    UsersFile("unknown_role", "user a space=Trial:Owner; # HERE", ('has no role "Owner"', '"role "Owner";"')),
    UsersFile("unknown_idp", "user a idp=other; # HERE", ('"idp=other"', "no saml_idp of that name", "correct the name")),
    UsersFile("idp_of_another_policy", "user a idp=okta;\nuser b idp=third; # HERE", ('"idp=third"',)),
    UsersFile("disabled_in_vain", "user ada@example.com disabled; # HERE", ("the line never counts", '"idp=NAME"'), idps=2),
    UsersFile("ambiguous", "user ada@example.com;\nuser b idp=*;\nuser 1001; # HERE",
              ('"user 1001" names no IdP', '"okta"', '"second"', '"idp=NAME"', '"idp=*"'), idps=2),
]  # fmt: skip
DOUBTFUL = [
    UsersFile("synced_group", "user a group=Manual;\nuser b group=Synced; # HERE", ('"group=Synced" adds nothing', '"group_sync on"')),
    # Two IdPs, none of which has e-mail domains: nobody is ever meant by it.
    UsersFile("never_counts", "user a idp=*;\nuser ada@example.com; # HERE", ("the line never counts", '"email_domains"'), idps=2),
]  # fmt: skip


def users_id(users: UsersFile) -> str:
    return users.name


@pytest.mark.parametrize("users", LISTED, ids=users_id)
def test_list_accepted(nginx: Nginx, files: Path, tmp_path: Path, users: UsersFile) -> None:
    accepted(nginx, files, users.case(tmp_path))


@pytest.mark.parametrize("users", MISTAKES, ids=users_id)
def test_list_refused(nginx: Nginx, files: Path, tmp_path: Path, users: UsersFile) -> None:
    refused(nginx, files, users.case(tmp_path))


@pytest.mark.parametrize("users", DOUBTFUL, ids=users_id)
def test_list_warned(nginx: Nginx, files: Path, tmp_path: Path, users: UsersFile) -> None:
    warned(nginx, files, users.case(tmp_path))


def test_a_list_that_no_idp_asks_is_read_too(nginx: Nginx, files: Path, tmp_path: Path) -> None:
    case = UsersFile("unused", "user a; user b; # HERE\nuser").case(tmp_path)
    result = run(nginx, files, Case("unused", idp=case.idp.replace("policy main;", "")))
    assert not result.ok and "unused.users:2" in result.output


def test_one_list_by_two_paths_is_one_list(nginx: Nginx, files: Path, tmp_path: Path) -> None:
    """Whichever way a policy names the file: two identity providers ask it, and could claim each other's users."""
    case = UsersFile("shared", "user 1001; # HERE", ('"user 1001" names no IdP', '"okta"', '"second"')).case(tmp_path)
    (tmp_path / "link.users").symlink_to(tmp_path / "shared.users")
    for path in (f"{tmp_path}/./shared.users", tmp_path / "link.users"):
        second = f"saml_policy other {{ users {path}; }}" + idp("second", "policy other;")
        refused(nginx, files, Case("shared", case.says, idp=case.idp + second, location="auth_saml okta second;"))


SHARED = """
saml_policy p1 { group A idp_id=a; group Both; space S1; role R1 default; users %%users%%; }
saml_policy p2 { group B; group Both; group A; space S2; role R2 default; users %%users%%; }
""" + idp("okta", "policy p1;") + idp("second", "policy p2;")  # fmt: skip
OF_TWO_POLICIES = [
    UsersFile("own_names",
              "user a idp=okta group=Both space=S1:R1;\nuser b idp=second group=A group=B space=S2:R2;\nuser c idp=* group=Both;"),
    UsersFile("of_the_other", "user b idp=second group=B;\nuser a idp=okta group=B; # HERE", ('"p1" has no group "B"',)),
    UsersFile("of_any_idp", "user b idp=second space=S2;\nuser a idp=* space=S2; # HERE", ('"p1" has no space "S2"',)),
    UsersFile("role_of_the_other",
              "user a idp=okta space=S1:R1;\nuser b idp=second space=S2:R1; # HERE", ('"p2" has no role "R1"',)),
    UsersFile("without_idp", "user b idp=second group=B;\nuser a@example.com group=B; # HERE", ('"p1" has no group "B"',)),
]


@pytest.mark.parametrize("users", OF_TWO_POLICIES, ids=users_id)
def test_a_list_of_two_policies(nginx: Nginx, files: Path, tmp_path: Path, users: UsersFile) -> None:
    """Names must be those of the policy whose user a line is about."""
    says = users.case(tmp_path).says
    rules = SHARED.replace("%%users%%", str(tmp_path / f"{users.name}.users"))
    (refused if users.says else accepted)(nginx, files, Case(users.name, says, idp=rules, location="auth_saml okta second;"))
