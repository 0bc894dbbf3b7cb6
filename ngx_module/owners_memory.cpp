#include "owners_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/digest.h"
#include "base/encoding.h"

namespace sallyport::ngx {

namespace {

constexpr std::size_t kMostBytes = 64 * 1024 * 1024;
constexpr std::size_t kDigits = 64;  // of the digest
constexpr int kReads = 5;

int shared = -1;

// Up to the separator, which goes too.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// NAME, entity ID, domains.
bool decode_line(std::string_view line, Owners& owners) {
  const std::string_view name = take_until(line, ' ');
  auto entity_id = form_decode(take_until(line, ' '));
  if (name.empty() || !entity_id) return false;
  Claims& claims = owners[std::string(name)];
  claims.entity_id = std::move(*entity_id);
  while (!line.empty()) claims.domains.emplace(take_until(line, ' '));
  return true;
}

std::optional<std::string> read_shared() {
  const std::uint64_t size = state_of(shared).size;
  if (size == 0 || size > kMostBytes) return std::nullopt;
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::pread(shared, text.data() + filled, text.size() - filled, static_cast<off_t>(filled));
    if (got <= 0) return std::nullopt;
    filled += static_cast<std::size_t>(got);
  }
  return text;
}

void write_shared(std::string_view text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t put = ::pwrite(shared, text.data() + written, text.size() - written, static_cast<off_t>(written));
    // Who reads notices what is missing.
    if (put <= 0) return;
    written += static_cast<std::size_t>(put);
  }
  static_cast<void>(::ftruncate(shared, static_cast<off_t>(text.size())) == 0);
}

}  // namespace

std::string encode_owners(const Owners& owners) {
  std::string lines;
  for (const auto& [name, claims] : owners) {
    if (claims.empty()) continue;
    lines += name + " " + url_encode(claims.entity_id);
    for (const std::string& domain : claims.domains) lines += " " + domain;
    lines += "\n";
  }
  return hex_encode(as_view(sha256(lines))) + "\n" + lines;
}

std::optional<Owners> decode_owners(std::string_view text) {
  const std::string_view digest = take_until(text, '\n');
  if (digest.size() != kDigits || digest != hex_encode(as_view(sha256(text)))) return std::nullopt;
  Owners owners;
  while (!text.empty()) {
    if (!decode_line(take_until(text, '\n'), owners)) return std::nullopt;
  }
  return owners;
}

void share_owners() {
  if (shared < 0) shared = ::memfd_create("saml_owners", MFD_CLOEXEC);
}

std::optional<Owners> shared_owners() {
  // Nobody waits for who writes it: what is half written is read once more.
  for (int read = 0; shared >= 0 && read < kReads; ++read) {
    const auto text = read_shared();
    if (!text) return std::nullopt;
    if (auto owners = decode_owners(*text)) return owners;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::nullopt;
}

FileState shared_owners_state() { return shared < 0 ? FileState() : state_of(shared); }

std::optional<Owners> recall_owners(const std::string& file) {
  if (auto owners = shared_owners()) return owners;
  const auto text = file.empty() ? std::nullopt : read_copy(file, kMostBytes);
  return text ? decode_owners(*text) : std::nullopt;
}

std::string remember_owners(const Owners& owners, const std::string& file) {
  const std::string text = encode_owners(owners);
  if (shared >= 0) write_shared(text);
  if (file.empty() || read_copy(file, kMostBytes) == text) return {};
  return write_copy(file, text);
}

}  // namespace sallyport::ngx
