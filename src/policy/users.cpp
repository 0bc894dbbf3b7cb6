#include "policy/users.h"

#include <cstring>
#include <iterator>
#include <utility>

#include "base/encoding.h"
#include "base/flat.h"
#include "policy/statements.h"

namespace sallyport::policy {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

static_assert(StatementReader::kMaxStatement <= 64 * 1024, "sizes in a record have 16 bits");

std::uint32_t packed(std::size_t low, std::size_t high) {
  return static_cast<std::uint32_t>(low | high << 16);
}

// The first line that is not UTF-8. A well-formed sequence holds no line break.
unsigned malformed_line(std::string_view text) {
  unsigned line = 1;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    if (!is_utf8(text.substr(0, end))) break;
    text.remove_prefix(end + 1);
    ++line;
  }
  return line;
}

// Whoever changes a name so that it collides with others changes the key too. Each text with its size, or where one ends could
// be chosen without that.
HashKey key_for(const std::vector<UserLine>& lines) {
  std::string texts;
  for (const UserLine& line : lines) {
    append_text(texts, line.key);
    append_text(texts, line.idp);
    for (const std::string_view group : line.groups) append_text(texts, group);
    for (const ListedSpace& space : line.spaces) {
      append_text(texts, space.name);
      append_text(texts, space.role);
    }
  }
  return hash_key_from(sha256(texts));
}

}  // namespace

Result<UserList> UserList::parse(std::string_view text, unsigned& line) {
  const auto refused = [&line](LineError problem) {
    line = problem.line;
    return Error{Reason::kConfigInvalid, std::move(problem.message)};
  };
  if (text.size() > kMaxFile) {
    return refused({1, "the file is larger than " + std::to_string(kMaxFile) + " bytes"});
  }
  if (!is_utf8(text)) {
    return refused({malformed_line(text), "the line is not UTF-8: save the file in that encoding"});
  }
  // Nobody who writes one of the lines knows all of them, so none can be made to collide with others.
  UserList list(hash_key_from(sha256(text)));
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  if (Problem problem = list.read(text)) return refused(*std::move(problem));
  return Result<UserList>(std::move(list));
}

UserList UserList::of(const std::vector<UserLine>& lines) {
  UserList list(key_for(lines));
  for (const UserLine& line : lines) list.add(line);
  (void) list.complete();
  return list;
}

Problem UserList::read(std::string_view text) {
  StatementReader statements(text);
  UserLineReader reader;
  for (;;) {
    if (Problem problem = statements.next()) return problem;
    if (statements.words().empty()) break;
    if (Problem problem = reader.read(statements.words())) return problem;
    add(reader.line());
  }
  return complete();
}

Problem UserList::complete() {
  shrink();
  if (Problem problem = fill_slots()) return problem;
  digest_ = digest_of_lines();
  return std::nullopt;
}

void UserList::add(const UserLine& line) {
  const std::uint32_t head[ListedUser::kHead] = {
      idp_number(line), line.line, packed(line.key.size(), line.groups.size()),
      packed(line.spaces.size(), line.is_disabled ? 1 : 0)};
  records_.insert(records_.end(), std::begin(head), std::end(head));
  const std::size_t key_begin = records_.size();
  records_.resize(key_begin + ListedUser::words_for(line.key.size()));
  std::memcpy(&records_[key_begin], line.key.data(), line.key.size());
  for (const std::string_view group : line.groups) records_.push_back(groups_.intern(group, line.line));
  for (const ListedSpace& space : line.spaces) {
    records_.push_back(spaces_.intern(space.name, line.line));
    records_.push_back(space.role.empty() ? ListedUser::kNoName : roles_.intern(space.role, line.line));
  }
  ++size_;
}

std::uint32_t UserList::idp_number(const UserLine& line) {
  if (line.idp.empty()) {
    has_no_idp_ = true;
    return ListedUser::kNoName;
  }
  if (line.idp == "*") {
    has_any_idp_ = true;
    return ListedUser::kAnyIdp;
  }
  return idps_.intern(line.idp, line.line);
}

void UserList::shrink() {
  records_.shrink_to_fit();
  for (NameTable* names : {&idps_, &groups_, &spaces_, &roles_}) names->shrink();
}

std::size_t UserList::bytes() const {
  std::size_t names = 0;
  for (const NameTable* table : {&idps_, &groups_, &spaces_, &roles_}) names += table->bytes();
  return records_.capacity() * sizeof(std::uint32_t) + slots_.capacity() * sizeof(Slot) + names;
}

std::string_view ListedUser::key() const {
  return {reinterpret_cast<const char*>(words_ + kHead), words_[2] & 0xFFFF};
}

std::string_view ListedUser::idp() const {
  if (idp_number() == kNoName) return {};
  return idp_number() == kAnyIdp ? "*" : list_->idps_.name(idp_number());
}

std::string_view ListedUser::group(std::size_t i) const { return list_->groups_.name(items()[i]); }

ListedSpace ListedUser::space(std::size_t i) const {
  const std::uint32_t* const pair = items() + group_count() + 2 * i;
  return {list_->spaces_.name(pair[0]),
          pair[1] == kNoName ? std::string_view() : list_->roles_.name(pair[1])};
}

}  // namespace sallyport::policy
