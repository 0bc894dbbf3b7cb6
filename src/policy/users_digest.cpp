// The part of users.h that tells two lists apart.
#include <string>
#include <string_view>

#include "policy/users.h"

namespace sallyport::policy {

namespace {

// A digest of more text than should be held at once: each part is digested behind the digest so far.
class LongDigest {
 public:
  LongDigest() : part_(as_view(Digest{})) {}

  void add(std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) part_ += static_cast<char>(number >> shift);
  }
  // With its size, so that texts cannot run together.
  void add(std::string_view text) {
    add(static_cast<std::uint32_t>(text.size()));
    part_ += text;
    if (part_.size() >= kPart) part_.assign(as_view(sha256(part_)));
  }
  Digest finish() const { return sha256(part_); }

 private:
  static constexpr std::size_t kPart = 64 * 1024;
  std::string part_;
};

}  // namespace

Digest UserList::digest_of_lines() const {
  LongDigest digest;
  digest.add(static_cast<std::uint32_t>(size()));
  for_each([&digest](const ListedUser& user) {
    digest.add(user.is_disabled() ? 1u : 0u);
    digest.add(user.key());
    digest.add(user.idp());
    digest.add(static_cast<std::uint32_t>(user.group_count()));
    for (std::size_t i = 0; i < user.group_count(); ++i) digest.add(user.group(i));
    digest.add(static_cast<std::uint32_t>(user.space_count()));
    for (std::size_t i = 0; i < user.space_count(); ++i) {
      digest.add(user.space(i).name);
      digest.add(user.space(i).role);
    }
  });
  return digest.finish();
}

}  // namespace sallyport::policy
