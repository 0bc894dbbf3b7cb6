#include "metadata_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/digest.h"
#include "base/encoding.h"

namespace sallyport::ngx {

namespace {

std::string failure(const char* what, const std::string& file) {
  return std::string(what) + " \"" + file + "\": " + std::strerror(errno);
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

}  // namespace

std::string copy_file(const std::string& folder, std::string_view idp_name, std::string_view url) {
  return folder + "/" + std::string(idp_name) + "-" + hex_encode(as_view(sha256(url))).substr(0, 16) + ".xml";
}

FileState state_of(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return {};
  return {found.st_ino, static_cast<std::uint64_t>(found.st_size),
          static_cast<Millis>(found.st_mtim.tv_sec) * kSecond + found.st_mtim.tv_nsec / 1000000};
}

std::optional<std::string> read_copy(const std::string& file, std::size_t max_bytes) {
  if (state_of(file).size > max_bytes) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (bytes.size() > max_bytes) return std::nullopt;
  return bytes;
}

std::string write_copy(const std::string& file, std::string_view bytes) {
  const std::string fresh = file + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return failure("cannot write", fresh);
  const bool is_written = write_all(descriptor, bytes);
  const std::string problem = is_written ? "" : failure("cannot write", fresh);
  ::close(descriptor);
  if (!is_written) return problem;
  return std::rename(fresh.c_str(), file.c_str()) == 0 ? "" : failure("cannot replace", file);
}

}  // namespace sallyport::ngx
