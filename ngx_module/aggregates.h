// Federations' metadata files (`metadata FILE` with `metadata_entity ID`), each looked through once for all saml_idp that want an
// entity out of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metadata_copy.h"
#include "saml/aggregate_index.h"
#include "xml/keys.h"

namespace sallyport::ngx {

// An open file, closed with its last owner.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// One owner at a time, of whatever thread.
class Aggregates {
 public:
  // A smaller file is read as a whole, whatever it holds.
  static constexpr std::uint64_t kSmallest = 1024 * 1024;
  static constexpr std::uint64_t kLargest = 1024 * 1024 * 1024;

  // The document of one entity. With `signers` of the octets that one of them signed, which are found out in a child process, once,
  // while nginx reads its configuration; the workers go on with those, whatever becomes of the file. Without, what is in the
  // file now. Reason: config_invalid, in an operator's words.
  Result<std::string> document_of(const std::string& path, const std::vector<xml::Certificate>& signers,
                                  std::string_view entity_id);

  // From now on nothing is checked in child processes.
  void end_configuration() { is_configuration_ = false; }

 private:
  struct Aggregate {
    std::shared_ptr<OpenFile> file;  // of what `index` is of
    FileState state;                 // of the file at `path`
    saml::AggregateIndex index;
  };

  Result<const Aggregate*> find(const std::string& path, const std::vector<xml::Certificate>& signers);
  Result<Aggregate> open(const std::string& path, const std::vector<xml::Certificate>& signers);

  std::map<std::string, Aggregate> known_;  // by path and keys
  bool is_configuration_ = true;
};

}  // namespace sallyport::ngx
