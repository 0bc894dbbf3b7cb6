#include "session/user_memory.h"

#include "base/flat.h"

namespace sallyport::session {
namespace {

// The digit is the version of the layout.
constexpr std::string_view kKind = "user1";
constexpr std::string_view kKeyPurpose = "user memory: key";
// More are not remembered: they only serve a hint in the log.
constexpr std::size_t kMostAttributes = 64;

std::string_view bytes_of(const Key& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

Key key_under(const Digest& secret, const Digest& binding, std::string_view user) {
  std::string bytes;
  append_digest(bytes, binding);
  append_text(bytes, user);
  return hmac_sha256(as_view(secret), bytes);
}

std::string context_of(const Key& key) {
  std::string out(kKind);
  out += bytes_of(key);
  return out;
}

void append_profile(std::string& out, const policy::Profile& profile) {
  for (const std::string* text : {&profile.first_name, &profile.last_name, &profile.display_name,
                                  &profile.timezone, &profile.account_role}) {
    append_text(out, *text);
  }
  append_number(out, static_cast<std::uint16_t>(profile.spaces.size()));
  for (const policy::SpaceRole& pair : profile.spaces) {
    append_text(out, pair.space);
    append_text(out, pair.role);
  }
}

policy::Profile read_profile(FlatReader& reader) {
  policy::Profile profile;
  for (std::string* text : {&profile.first_name, &profile.last_name, &profile.display_name,
                            &profile.timezone, &profile.account_role}) {
    *text = reader.text();
  }
  const auto count = reader.number<std::uint16_t>();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    std::string space = reader.text();
    profile.spaces.push_back({std::move(space), reader.text()});
  }
  return profile;
}

}  // namespace

// FNV-1a: a collision costs a hint in the log.
std::uint32_t attribute_tag(std::string_view name) {
  std::uint32_t tag = 2166136261u;
  for (const char c : name) tag = (tag ^ static_cast<unsigned char>(c)) * 16777619u;
  return tag;
}

UserMemoryCodec::UserMemoryCodec(const Secret& secret)
    : key_secret_(derive_key(as_view(secret.current), kKeyPurpose)), sealer_(secret, "user memory: seal") {
  if (secret.previous) previous_key_secret_ = derive_key(as_view(*secret.previous), kKeyPurpose);
}

Key UserMemoryCodec::key_of(const Digest& binding, std::string_view user) const {
  return key_under(key_secret_, binding, user);
}

std::optional<Key> UserMemoryCodec::previous_key_of(const Digest& binding, std::string_view user) const {
  if (!previous_key_secret_) return std::nullopt;
  return key_under(*previous_key_secret_, binding, user);
}

namespace {

std::string layout_of(const UserMemory& memory) {
  std::string plaintext;
  append_number(plaintext, memory.last_login);
  append_text(plaintext, memory.groups);
  append_text(plaintext, memory.spaces);
  plaintext += memory.profile ? '\1' : '\0';
  if (memory.profile) append_profile(plaintext, *memory.profile);
  const std::size_t count = std::min(memory.attributes.size(), kMostAttributes);
  append_number(plaintext, static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) append_number(plaintext, memory.attributes[i]);
  return plaintext;
}

}  // namespace

std::optional<std::string> UserMemoryCodec::seal(const UserMemory& memory, const Key& key, Random& random) {
  std::string plaintext = layout_of(memory);
  if (plaintext.size() > kMaxUserMemory) {
    // The last grants serve the log alone; the profile decides.
    UserMemory smaller = memory;
    smaller.groups.clear();
    smaller.spaces.clear();
    plaintext = layout_of(smaller);
    if (plaintext.size() > kMaxUserMemory) smaller.profile.reset();
    plaintext = layout_of(smaller);
  }
  return sealer_.seal(plaintext, context_of(key), random);
}

std::optional<UserMemory> UserMemoryCodec::open(std::string_view sealed, const Key& key) {
  const auto plaintext = sealer_.open(sealed, context_of(key));
  if (!plaintext) return std::nullopt;
  FlatReader reader(*plaintext);
  UserMemory memory;
  memory.last_login = reader.number<Millis>();
  memory.groups = reader.text();
  memory.spaces = reader.text();
  if (reader.number<std::uint8_t>() != 0) memory.profile = read_profile(reader);
  const auto count = reader.number<std::uint8_t>();
  for (std::size_t i = 0; i < count; ++i) memory.attributes.push_back(reader.number<std::uint32_t>());
  if (!reader.complete()) return std::nullopt;
  return memory;
}

}  // namespace sallyport::session
