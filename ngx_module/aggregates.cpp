#include "aggregates.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "aggregate_check.h"

namespace sallyport::ngx {

namespace {

Error invalid(std::string detail) { return {Reason::kConfigInvalid, std::move(detail)}; }

saml::ReadAt reader_of(int descriptor) {
  return [descriptor](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
      const ssize_t got = ::pread(descriptor, bytes.data() + filled, size - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return invalid(std::string("it cannot be read (") + std::strerror(errno) + ")");
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  };
}

std::string key_of(const std::string& path, const std::vector<xml::Certificate>& signers) {
  std::string key = path;
  for (const xml::Certificate& signer : signers) key += "\n" + signer.base64();
  return key;
}

}  // namespace

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::string> Aggregates::document_of(const std::string& path, const std::vector<xml::Certificate>& signers,
                                            std::string_view entity_id) {
  const auto aggregate = find(path, signers);
  if (!aggregate.ok()) return aggregate.error();
  auto document = (*aggregate)->index.document_of(entity_id, reader_of((*aggregate)->file->descriptor()));
  if (document.ok() && signers.empty() && state_of((*aggregate)->file->descriptor()) != (*aggregate)->state) {
    return invalid("the file was changed while it was read: write a new one beside it and rename that");
  }
  return document;
}

Result<const Aggregates::Aggregate*> Aggregates::find(const std::string& path, const std::vector<xml::Certificate>& signers) {
  const std::string key = key_of(path, signers);
  const auto known = known_.find(key);
  const bool is_checked = !signers.empty() && !is_configuration_;
  if (known != known_.end() && (is_checked || known->second.state == state_of(path))) return &known->second;
  if (is_checked) {
    return invalid("a signed document of this size is checked when nginx reads its configuration: \"nginx -s reload\"");
  }
  auto opened = open(path, signers);
  if (!opened.ok()) return std::move(opened).error();
  return &known_.insert_or_assign(key, std::move(opened).value()).first->second;
}

Result<Aggregates::Aggregate> Aggregates::open(const std::string& path, const std::vector<xml::Certificate>& signers) {
  Aggregate aggregate;
  aggregate.file = std::make_shared<OpenFile>(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (aggregate.file->descriptor() < 0) return invalid(std::string("it cannot be read (") + std::strerror(errno) + ")");
  aggregate.state = state_of(aggregate.file->descriptor());
  if (!aggregate.state.is_plain || aggregate.state.size > kLargest) return invalid("it is no file, or larger than 1 GB");
  if (!signers.empty()) {
    auto octets = check_aggregate(aggregate.file->descriptor(), aggregate.state.size, signers);
    if (!octets.ok()) return std::move(octets).error();
    aggregate.file = std::move(octets).value();
  }
  auto index = saml::AggregateIndex::build(reader_of(aggregate.file->descriptor()));
  if (!index.ok()) return std::move(index).error();
  aggregate.index = std::move(index).value();
  return aggregate;
}

}  // namespace sallyport::ngx
