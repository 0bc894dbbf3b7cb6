#include "aggregate_check.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "aggregates.h"
#include "saml/idp_metadata.h"
#include "xml/document.h"
#include "xml/signature.h"

namespace sallyport::ngx {

namespace {

constexpr std::string_view kGood = "+";  // the child's first byte; else what is wrong

Error invalid(std::string detail) { return {Reason::kConfigInvalid, std::move(detail)}; }

Error system_error(const char* what) { return invalid(std::string(what) + ": " + std::strerror(errno)); }

Result<std::shared_ptr<OpenFile>> nameless_file() {
  char path[] = "/var/tmp/sallyport-XXXXXX";
  char other[] = "/tmp/sallyport-XXXXXX";
  int descriptor = ::mkostemp(path, O_CLOEXEC);
  if (descriptor >= 0) ::unlink(path);
  if (descriptor < 0) {
    descriptor = ::mkostemp(other, O_CLOEXEC);
    if (descriptor >= 0) ::unlink(other);
  }
  if (descriptor < 0) return system_error("no temporary file for the signed octets");
  return std::make_shared<OpenFile>(descriptor);
}

bool read_whole(int descriptor, std::string& bytes) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::pread(descriptor, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    filled += static_cast<std::size_t>(got);
  }
  return true;
}

bool write_whole(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<xml::Document> parse(int descriptor, std::size_t size) {
  std::string bytes(size, '\0');
  if (!read_whole(descriptor, bytes)) return invalid("it was cut while it was read");
  return xml::Document::parse(bytes, xml::aggregate_limits(size));
}

Status verify(int in, std::size_t size, const std::vector<xml::Certificate>& signers, int out) {
  xml::initialize_parser();
  const auto document = parse(in, size);
  if (!document.ok()) return saml::unreadable_metadata(document.error());
  const xml::SignatureVerifier verifier(signers, xml::AlgorithmSet::defaults());
  const auto octets = verifier.verify_octets(document->root());
  if (!octets.ok()) {
    return invalid("the signature of the metadata is no good (" + std::string(reason_word(octets.error().reason)) + ": " +
                   octets.error().detail + "): it must be by the key of metadata_certificate");
  }
  if (!write_whole(out, *octets)) return system_error("the signed octets cannot be written");
  return Done{};
}

// The child's whole life.
[[noreturn]] void check_and_exit(int in, std::size_t size, const std::vector<xml::Certificate>& signers, int out, int verdict) {
  std::string text;
  try {
    const Status status = verify(in, size, signers, out);
    text = status.ok() ? std::string(kGood) : status.error().detail;
  } catch (...) {
    text = "memory is short";
  }
  write_whole(verdict, text);
  ::_exit(0);
}

std::string read_verdict(int descriptor) {
  std::string text;
  char buffer[1024];
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text.empty() ? "the process that checks its signature died, of too little memory?" : text;
}

}  // namespace

Result<std::shared_ptr<OpenFile>> check_aggregate(int descriptor, std::uint64_t size,
                                                  const std::vector<xml::Certificate>& signers) {
  auto octets = nameless_file();
  if (!octets.ok()) return octets;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("no pipe");
  const OpenFile reading(ends[0]);
  auto writing = std::make_unique<OpenFile>(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return system_error("no process to check its signature");
  if (child == 0) {
    check_and_exit(descriptor, static_cast<std::size_t>(size), signers, (*octets)->descriptor(), writing->descriptor());
  }
  writing.reset();
  const std::string verdict = read_verdict(reading.descriptor());
  // nginx's own handler may have been quicker.
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (verdict != kGood) return invalid(verdict);
  return octets;
}

}  // namespace sallyport::ngx
