// Downloads of metadata documents by libcurl, several at once, for a thread that may wait.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::ngx {

// https only, of at most three redirections, ten seconds each. Certificates are checked against the system's authorities, or
// those of the file that SSL_CERT_FILE of the environment names. Used by one thread.
class MetadataFetcher {
 public:
  static constexpr std::size_t kMostAtOnce = 16;

  struct Answer {
    std::size_t index;    // as given to begin()
    std::string body;
    std::string problem;  // empty: `body` is the document
  };

  MetadataFetcher();
  ~MetadataFetcher();
  MetadataFetcher(const MetadataFetcher&) = delete;
  MetadataFetcher& operator=(const MetadataFetcher&) = delete;

  bool has_room() const;
  // Empty: the answer comes from a later wait(). Else why none will come. A body of more than `max_bytes` is a problem.
  std::string begin(std::size_t index, const std::string& url, std::size_t max_bytes);
  // Goes on with all downloads until some are done or a second has passed, or wake() is called.
  std::vector<Answer> wait();
  // Ends a wait(); for any thread.
  void wake();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sallyport::ngx
