#include "conf_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge.h"
#include "conf_message.h"

namespace sallyport::ngx {

namespace {

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string why(int error) {
  std::string text = std::string(" (") + std::to_string(error) + ": " + std::strerror(error) + ")";
  if (error == ENOENT) text += "; check the path, a relative one begins in the folder of "
                               "nginx.conf";
  if (error == EACCES) {
    text += "; it is read by the user who starts nginx, usually root: run this as that user, or "
            "give it the right to read the file and to enter its folders";
  }
  return text;
}

// Reads up to `max` + 1 bytes; false with errno set.
bool read_all(int descriptor, std::size_t max, std::string* out) {
  char buffer[16384];
  while (out->size() <= max) {
    const ssize_t count = ::read(descriptor, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    out->append(buffer, static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

std::optional<std::string> read_conf_file(ngx_conf_t* cf, const Origin& origin,
                                          std::string_view subject, const std::string& path,
                                          std::size_t max_bytes, std::string_view if_empty, std::string_view if_too_large) {
  const std::string what = std::string(subject) + ": cannot read " + quoted(path);
  const File file(path);
  struct stat info {};
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &info) != 0) {
    conf_error(cf, origin, what + why(errno));
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    conf_error(cf, origin, what + ": it is not a file; name the file itself");
    return std::nullopt;
  }
  std::string bytes;
  if (!read_all(file.descriptor(), max_bytes, &bytes)) {
    conf_error(cf, origin, what + why(errno));
    return std::nullopt;
  }
  if (bytes.empty() || bytes.size() > max_bytes) {
    conf_error(cf, origin,
               what + (bytes.empty() ? ": it is empty" + std::string(if_empty)
                                     : ": it is larger than " + std::to_string(max_bytes) +
                                           " bytes" + std::string(if_too_large)));
    return std::nullopt;
  }
  return bytes;
}

std::string identity_of_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return path;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
}

std::optional<std::string> read_system_file(const std::string& path, std::size_t max_bytes) {
  const File file(path);
  struct stat info {};
  std::string bytes;
  if (file.descriptor() < 0 || ::fstat(file.descriptor(), &info) != 0 || !S_ISREG(info.st_mode) ||
      !read_all(file.descriptor(), max_bytes, &bytes) || bytes.size() > max_bytes) {
    return std::nullopt;
  }
  return bytes;
}

void warn_if_readable_by_all(ngx_conf_t* cf, const Origin& origin, std::string_view subject, const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IROTH) == 0) return;
  conf_warning(cf, origin, std::string(subject) + ": every user of this machine can read " + quoted(path) +
                               ": \"chmod 600\" it");
}

std::optional<std::string> full_path(ngx_conf_t* cf, std::string_view path) {
  ngx_str_t full = copy(cf->pool, path);
  if (full.data == nullptr || ngx_conf_full_name(cf->cycle, &full, 1) != NGX_OK) {
    return std::nullopt;
  }
  return std::string(view(full));
}

}  // namespace sallyport::ngx
