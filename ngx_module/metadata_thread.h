// The one thread of a worker that may wait: fetches metadata documents, reads copies and the files of saml_idp_directory, checks
// all of it. It owns copies of what it works on, and never touches a request or what belongs to nginx.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/instant.h"
#include "idp_directory.h"
#include "metadata_copy.h"
#include "metadata_fetcher.h"
#include "owners_memory.h"
#include "saml/idp_metadata.h"
#include "xml/keys.h"

namespace sallyport::ngx {

class MetadataThread {
 public:
  // A saml_idp with metadata by URL.
  struct Idp {
    std::uint64_t number = 0;                // tells it from what was followed by the same name before
    std::string name;
    std::string url;
    std::string file;
    std::string entity_id;                   // metadata_entity
    Millis refresh = kHour;
    std::vector<xml::Certificate> signers;   // empty: it need not be signed
    std::optional<saml::IdpMetadata> current;  // the copy's
    FileState loaded;                          // of the copy that `current` is of
  };
  struct Settings {
    std::vector<Idp> idps;
    std::string generation_file;  // is written anew after any copy
    std::size_t max_bytes = 0;
    bool fetches = false;         // one worker does; the others read what it writes
    std::string owners_file;      // empty: none
    std::shared_ptr<IdpDirectory> directory;  // may be null; the thread's until it ends
  };

  // What the event loop gets.
  struct News {
    std::string name;  // of the saml_idp
    std::uint64_t number;  // as it was followed
    saml::IdpMetadata metadata;
    std::string changes;
  };
  struct Results {
    std::vector<News> news;
    std::vector<IdpDirectory::Change> changes;
    std::optional<Owners> owners;  // what another worker told
    std::uint32_t as_of = 0;  // of the directory; 0: nobody has looked since
    std::vector<std::string> problems;
  };

  explicit MetadataThread(Settings settings);
  // Ends what it does and waits for its end.
  ~MetadataThread();
  MetadataThread(const MetadataThread&) = delete;
  MetadataThread& operator=(const MetadataThread&) = delete;

  // What came since the last call.
  Results take();
  // From now on looks after this one, in place of what it knew by the name; or after none of the name.
  void follow(Idp idp);
  void forget(std::string name);
  // From now on fetches nothing and tells nobody: another worker does.
  void only_follow() { only_follows_ = true; }
  // Tells the other workers, and the next start, who has what in the directory.
  void remember(Owners owners);

 private:
  using Clock = std::chrono::steady_clock;
  struct Followed {
    Idp idp;
    Clock::time_point due;
    std::size_t running = 0;  // the number of its download; 0: none runs
    unsigned failures = 0;
    bool is_expired = false;  // and reported
  };
  struct Order {
    std::string name;
    std::optional<Idp> idp;  // none: forget it
  };

  void run();
  void take_orders();
  void look_at_directory();
  void tell_owners();
  void hear_of_owners();
  void look_after_copies();
  void load(Idp& idp);
  void fetch();
  void report_expired();
  void begin_due();
  void take_answer(MetadataFetcher::Answer answer);
  void keep(Followed& followed, const std::string& document, const saml::IdpMetadata& metadata);
  void fail(Followed& followed, const std::string& problem);
  Result<saml::IdpMetadata> check(const Idp& idp, std::string_view document) const;
  void report(std::string problem);
  // Up to a tenth earlier, so that many do not stay together.
  std::chrono::milliseconds jittered(Millis interval);

  Settings settings_;
  std::map<std::string, Followed> followed_;         // by name
  std::map<std::size_t, std::string> downloads_;     // by number: whose it is
  std::size_t last_download_ = 0;
  Clock::time_point next_look_;                      // at the directory
  FileState generation_;
  FileState heard_;                                  // of what the other worker told
  std::uint64_t written_ = 0;
  std::minstd_rand random_{std::random_device{}()};
  std::optional<MetadataFetcher> fetcher_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> only_follows_{false};
  Results results_;
  std::vector<Order> orders_;
  std::optional<Owners> to_tell_;

  std::thread thread_;  // the last one: it uses all others
};

}  // namespace sallyport::ngx
