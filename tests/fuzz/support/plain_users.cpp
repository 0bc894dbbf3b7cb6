#include "plain_users.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/encoding.h"
#include "policy/email.h"

namespace sallyport::fuzz {

namespace {

bool is_address(const std::string& text) { return text.find('@') != std::string::npos; }

// An address in the one spelling that is compared.
std::string comparable(const std::string& address) {
  const auto parsed = policy::parse_email(address);
  return parsed ? ascii_lower(parsed->local) + "@" + parsed->domain : ascii_lower(address);
}

// Characters that never want quotes.
bool is_simple(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '@' ||
           c == '.' || c == ':' || c == '*' || c == '-';
  });
}

std::string in_quotes(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out += quote;
}

std::string gap(Dice& dice) {
  static const char* const kGaps[] = {" ", " ", " ", "\t", "  ", "\n", "\r\n    ", " # a \"comment;\n"};
  return dice.pick(kGaps);
}

std::string written_key(const std::string& key, Dice& dice) {
  if (is_simple(key) && key != "disabled" && dice.once_in(2)) return key;
  return in_quotes(key, dice.once_in(2) ? '"' : '\'');
}

std::string written_pair(const std::string& name, const std::string& value, Dice& dice) {
  const char quote = dice.once_in(2) ? '"' : '\'';
  if (is_simple(value) && dice.once_in(2)) return name + value;
  return dice.once_in(2) ? name + in_quotes(value, quote) : in_quotes(name + value, quote);
}

// Groups stay in their order, and spaces in theirs.
std::vector<std::string> parameters(const PlainUser& user, Dice& dice) {
  std::vector<std::string> out;
  std::size_t group = 0;
  std::size_t space = 0;
  while (group < user.groups.size() || space < user.spaces.size()) {
    const bool takes_group = space == user.spaces.size() || dice.once_in(2);
    if (takes_group && group < user.groups.size()) {
      out.push_back(written_pair("group=", user.groups[group++], dice));
    } else if (space < user.spaces.size()) {
      const auto& [name, role] = user.spaces[space++];
      out.push_back(written_pair("space=", role.empty() ? name : name + ":" + role, dice));
    }
  }
  const auto insert = [&](const std::string& word) {
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(dice.below(out.size() + 1)), word);
  };
  if (!user.idp.empty()) insert(written_pair("idp=", user.idp, dice));
  if (user.is_disabled) insert("disabled");
  return out;
}

// The rank of a line for a login, the lowest counts; nullopt: it says nothing about it.
std::optional<int> rank_of(const PlainUser& user, const policy::UserQuery& query) {
  int idp_rank = 0;
  if (user.idp.empty()) {
    idp_rank = 1;
  } else if (user.idp == "*") {
    idp_rank = 2;
  } else if (user.idp != query.idp) {
    return std::nullopt;
  }
  const bool counts_by_user =
      !user.idp.empty() || query.is_sole_idp || (is_address(user.key) && query.user_is_covered);
  const std::string asked(query.user);
  const bool is_the_user =
      user.key == asked || (user.is_disabled && is_address(user.key) && comparable(user.key) == comparable(asked));
  if (is_the_user && counts_by_user) return idp_rank;
  const bool is_the_email = is_address(user.key) && comparable(user.key) == comparable(std::string(query.email));
  const bool counts_by_email =
      query.email_is_covered || (user.is_disabled && (query.is_sole_idp || !user.idp.empty()));
  if (is_the_email && counts_by_email) return 3 + idp_rank;
  return std::nullopt;
}

}  // namespace

bool PlainUser::operator==(const PlainUser& other) const {
  return std::tie(key, idp, is_disabled, groups, spaces) ==
         std::tie(other.key, other.idp, other.is_disabled, other.groups, other.spaces);
}

std::vector<PlainUser> plain_users(const policy::UserList& list) {
  std::vector<PlainUser> users;
  list.for_each([&users](const policy::ListedUser& listed) {
    PlainUser user{std::string(listed.key()), std::string(listed.idp()), listed.is_disabled(), {}, {}};
    for (std::size_t i = 0; i < listed.group_count(); ++i) user.groups.emplace_back(listed.group(i));
    for (std::size_t i = 0; i < listed.space_count(); ++i) {
      user.spaces.emplace_back(listed.space(i).name, listed.space(i).role);
    }
    users.push_back(std::move(user));
  });
  return users;
}

std::string written(const std::vector<PlainUser>& users, Dice& dice) {
  std::string text;
  for (const PlainUser& user : users) {
    text += (dice.once_in(3) ? gap(dice) : "") + "user" + gap(dice) + written_key(user.key, dice);
    for (const std::string& word : parameters(user, dice)) text += gap(dice) + word;
    text += (dice.once_in(3) ? gap(dice) : "") + ";";
  }
  return text + (dice.once_in(2) ? "\n# the end" : "");
}

bool any_repeated(const std::vector<PlainUser>& users) {
  std::set<std::pair<std::string, std::string>> seen;
  return std::any_of(users.begin(), users.end(), [&seen](const PlainUser& user) {
    return !seen.emplace(is_address(user.key) ? ascii_lower(user.key) : user.key, user.idp).second;
  });
}

std::optional<PlainMatch> find_plainly(const std::vector<PlainUser>& users, const policy::UserQuery& query) {
  std::optional<PlainMatch> best;
  std::pair<bool, int> best_rank;  // disabled ones first
  for (std::size_t i = 0; i < users.size(); ++i) {
    const std::optional<int> rank = rank_of(users[i], query);
    if (!rank) continue;
    const std::pair<bool, int> full_rank(!users[i].is_disabled, *rank);
    if (best && best_rank <= full_rank) continue;
    best = PlainMatch{i, *rank >= 3};
    best_rank = full_rank;
  }
  return best;
}

const char* disagreement(const policy::UserList& list, const std::vector<PlainUser>& users,
                         const policy::UserQuery& query) {
  const auto found = list.find(query);
  const auto wanted = find_plainly(users, query);
  if (!found) return wanted ? "a user is not found" : nullptr;
  if (!wanted) return "somebody is found who is not meant";
  const PlainUser& user = users[wanted->index];
  if (found->user.key() != user.key || found->user.idp() != user.idp) return "another line is found";
  if (found->user.is_disabled() != user.is_disabled) return "the line is not what it was";
  return found->by_email == wanted->by_email ? nullptr : "the line is found in another way";
}

}  // namespace sallyport::fuzz
