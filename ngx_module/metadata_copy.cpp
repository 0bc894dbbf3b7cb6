#include "metadata_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/digest.h"
#include "base/encoding.h"

namespace sallyport::ngx {

namespace {

std::string failure(const char* what, const std::string& file) {
  return std::string(what) + " \"" + file + "\": " + std::strerror(errno);
}

std::optional<std::string> read_all(int descriptor, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(descriptor, bytes.data() + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

FileState state_from(const struct stat& found) {
  return {found.st_ino, static_cast<std::uint64_t>(found.st_size),
          static_cast<Millis>(found.st_mtim.tv_sec) * kSecond + found.st_mtim.tv_nsec / 1000000,
          static_cast<std::int64_t>(found.st_ctim.tv_sec) * 1'000'000'000 + found.st_ctim.tv_nsec, S_ISREG(found.st_mode)};
}

}  // namespace

std::string copy_file(const std::string& folder, std::string_view idp_name, std::string_view url) {
  return folder + "/" + std::string(idp_name) + "-" + hex_encode(as_view(sha256(url))).substr(0, 16) + ".xml";
}

FileState state_of(const std::string& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 ? state_from(found) : FileState();
}

FileState state_of(int descriptor) {
  struct stat found {};
  return ::fstat(descriptor, &found) == 0 ? state_from(found) : FileState();
}

std::optional<std::string> read_copy(const std::string& file, std::size_t max_bytes) {
  // The master reads it too, as root, in a folder of the workers' user: a link or a pipe is none of ours.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return std::nullopt;
  struct stat found {};
  std::optional<std::string> bytes;
  if (::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && static_cast<std::size_t>(found.st_size) <= max_bytes) {
    bytes = read_all(descriptor, static_cast<std::size_t>(found.st_size));
  }
  ::close(descriptor);
  return bytes;
}

std::string write_copy(const std::string& file, std::string_view bytes) {
  const std::string fresh = file + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return failure("cannot write", fresh);
  const bool is_written = write_all(descriptor, bytes);
  const std::string problem = is_written ? "" : failure("cannot write", fresh);
  ::close(descriptor);
  if (!is_written) return problem;
  return std::rename(fresh.c_str(), file.c_str()) == 0 ? "" : failure("cannot replace", file);
}

}  // namespace sallyport::ngx
