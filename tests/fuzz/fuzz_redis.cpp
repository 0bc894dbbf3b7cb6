// What a server sends, of any bytes and in any pieces: the same replies come out, within the limits, and what it says of
// slots, nodes, users and ended sessions is taken strictly. The first byte is the size of the pieces.
#include <string>
#include <string_view>
#include <vector>

#include "base/compress.h"
#include "base/encoding.h"
#include "policy/user_fields.h"
#include "redis/events.h"
#include "redis/reply.h"
#include "redis/topology.h"
#include "session/cached_record.h"
#include "session/sealed_record.h"
#include "support/fuzz_target.h"

namespace {

using namespace sallyport;
using namespace sallyport::redis;

void describe(const Reply& reply, std::size_t depth, std::string& out) {
  REQUIRE(depth <= ReplyGate::kMostDepth);
  REQUIRE(reply.text().size() <= ReplyGate::kMostText);
  REQUIRE(reply.size() <= ReplyGate::kMostElements);
  out += static_cast<char>('a' + static_cast<int>(reply.kind()));
  out += reply.text();
  out += std::to_string(reply.integer());
  for (std::size_t i = 0; i < reply.size(); ++i) describe(reply.at(i), depth + 1, out);
}

std::vector<std::string> read(std::string_view bytes, std::size_t piece) {
  ReplyReader reader;
  std::vector<std::string> replies;
  while (!bytes.empty() && !reader.has_failed()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    reader.feed(part);
    while (const OwnedReply reply = reader.next()) {
      replies.emplace_back();
      const Reply view(reply.get());
      describe(view, 0, replies.back());
      (void) error_kind(view.text());
      (void) master_address(view);
    }
  }
  REQUIRE(!reader.has_failed() || reader.problem()[0] != '\0');
  if (reader.has_failed()) replies.emplace_back("failed");
  return replies;
}

void check_map(std::string_view text) {
  const auto map = SlotMap::parse(text);
  if (!map) return;
  REQUIRE(!map->masters().empty());
  for (std::uint16_t slot = 0; slot < kSlots; ++slot) {
    const std::uint16_t master = map->master_of(slot);
    REQUIRE(master == SlotMap::kNobody || master < map->masters().size());
  }
}

void check_event(std::string_view text) {
  const Digest secret{};
  const auto event = decode_event(text, secret);
  REQUIRE(!event || encode_event(*event, secret) == text);
}

void check_record(std::string_view bytes) {
  const session::SessionSealer sealer(Secret{});
  const std::string cookie(43, 'A');
  REQUIRE(!sealer.open(bytes, cookie, "sp", 0));
  const auto id = sealer.id_of(bytes);
  REQUIRE(!id || bytes.size() >= 49);
  const auto cached = session::CachedRecord::open(bytes);
  if (cached) REQUIRE(session::make_cached_record(cached->seal_id, cached->record) == bytes);
  REQUIRE(session::cached_with_front(bytes).front <= bytes.size());
}

// One hash with all of it in each field: nobody is listed under another key, and names are such as may stand in a header.
void check_user(std::string_view bytes) {
  using namespace policy;
  const UserFields fields{"ada@example.com", bytes.substr(0, 1), bytes.substr(0, 2), bytes, bytes};
  const UserList list = list_of({fields});
  UserQuery query;
  query.idp = "okta";
  query.user = bytes;
  const auto stranger = list.find(query);
  REQUIRE(!stranger || UserList::comparable_key(bytes) == "ada@example.com");
  list.for_each([](const ListedUser& user) {
    for (std::size_t i = 0; i < user.group_count(); ++i) REQUIRE(is_utf8(user.group(i)) && !user.group(i).empty());
    for (std::size_t i = 0; i < user.space_count(); ++i) REQUIRE(is_utf8(user.space(i).name) && !user.space(i).name.empty());
  });
}

void check_expansion(std::string_view bytes) {
  for (const std::size_t size : {bytes.size(), bytes.size() * 2, std::size_t{64}}) {
    const auto text = expand(bytes, "a dictionary", size);
    REQUIRE(!text || text->size() == size);
  }
  REQUIRE(expand(*compress(bytes, "a dictionary"), "a dictionary", bytes.size()) == bytes);
}

}  // namespace

FUZZ_TARGET(redis) {
  if (input.empty()) return;
  const std::size_t piece = static_cast<unsigned char>(input.front()) + 1u;
  input.remove_prefix(1);
  REQUIRE(read(input, piece) == read(input, input.size() + 1));
  (void) key_slot(input);
  const auto redirect = parse_redirect(input);
  REQUIRE(!redirect || redirect->slot < kSlots);
  (void) is_master(input);
  check_map(input);
  check_event(input);
  check_record(input);
  check_user(input);
  check_expansion(input);
}
