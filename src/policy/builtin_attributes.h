// The built-in aliases as data: which attribute Names mean what, in the order they are tried.
// docs/attributes.md prints this table; a unit test keeps the two equal.
#pragma once

#include <string_view>

namespace sallyport::policy {

struct BuiltInSource {
  std::string_view alias;
  std::string_view name;  // the attribute's Name, matched exactly
};

// The claim that is a first name at some IdPs and a whole name at others; see AttributeMap::find.
constexpr std::string_view kNameClaim =
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
constexpr std::string_view kGivenNameClaim =
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname";
constexpr std::string_view kFamilyNameClaim =
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/familyname";

// Entra ID's groups, and what it sends in their place when a user is in more than 150 of them.
constexpr std::string_view kGroupsClaim = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
constexpr std::string_view kGroupsLinkClaim = "http://schemas.microsoft.com/claims/groups.link";

// Claim URIs first, then the OIDs of LDAP and eduPerson, their older URNs, plain names last.
inline constexpr BuiltInSource kBuiltInSources[] = {
    {"email", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"},
    {"email", "http://schemas.xmlsoap.org/claims/EmailAddress"},
    {"email", "urn:oid:0.9.2342.19200300.100.1.3"},
    {"email", "urn:oid:1.2.840.113549.1.9.1"},
    {"email", "urn:mace:dir:attribute-def:mail"},
    {"email", "email"},
    {"email", "Email"},
    {"email", "mail"},
    {"email", "emailAddress"},
    {"email", "emailaddress"},
    {"email", "email_address"},
    {"email", "User.email"},

    {"first_name", kGivenNameClaim},
    {"first_name", kNameClaim},
    {"first_name", "urn:oid:2.5.4.42"},
    {"first_name", "urn:mace:dir:attribute-def:givenName"},
    {"first_name", "first_name"},
    {"first_name", "firstName"},
    {"first_name", "FirstName"},
    {"first_name", "firstname"},
    {"first_name", "givenName"},
    {"first_name", "givenname"},
    {"first_name", "given_name"},
    {"first_name", "User.FirstName"},

    {"last_name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"},
    {"last_name", kFamilyNameClaim},
    {"last_name", "urn:oid:2.5.4.4"},
    {"last_name", "urn:mace:dir:attribute-def:sn"},
    {"last_name", "last_name"},
    {"last_name", "lastName"},
    {"last_name", "LastName"},
    {"last_name", "lastname"},
    {"last_name", "sn"},
    {"last_name", "surname"},
    {"last_name", "familyName"},
    {"last_name", "family_name"},
    {"last_name", "User.LastName"},

    {"display_name", "http://schemas.microsoft.com/identity/claims/displayname"},
    {"display_name", kNameClaim},
    {"display_name", "urn:oid:2.16.840.1.113730.3.1.241"},
    {"display_name", "urn:mace:dir:attribute-def:displayName"},
    {"display_name", "display_name"},
    {"display_name", "displayName"},
    {"display_name", "displayname"},
    {"display_name", "http://schemas.xmlsoap.org/claims/CommonName"},
    {"display_name", "urn:oid:2.5.4.3"},
    {"display_name", "urn:mace:dir:attribute-def:cn"},
    {"display_name", "cn"},
    {"display_name", "name"},

    {"picture", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/picture"},
    {"picture", "picture"},
    {"picture", "avatar"},
    {"picture", "avatar_url"},

    {"groups", kGroupsClaim},
    {"groups", "http://schemas.xmlsoap.org/claims/Group"},
    {"groups", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"},
    {"groups", "urn:oid:1.2.840.113556.1.2.102"},
    {"groups", "urn:mace:dir:attribute-def:isMemberOf"},
    {"groups", "groups"},
    {"groups", "Groups"},
    {"groups", "group"},
    {"groups", "Group"},
    {"groups", "memberOf"},
    {"groups", "member_of"},
    {"groups", "isMemberOf"},

    {"space_name", "space_name"},
    {"space_name", "spaceName"},
    {"space_name", "spaces"},

    {"space_role", "space_role"},
    {"space_role", "spaceRole"},
    {"space_role", "space_roles"},

    {"timezone", "timezone"},
    {"timezone", "timeZone"},
    {"timezone", "zoneinfo"},

    {"department", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/department"},
    {"department", "urn:oid:2.16.840.1.113730.3.1.2"},
    {"department", "urn:oid:2.5.4.11"},
    {"department", "department"},
    {"department", "Department"},
    {"department", "departmentNumber"},
    {"department", "ou"},

    {"account_role", "account_role"},
    {"account_role", "accountRole"},
};

}  // namespace sallyport::policy
