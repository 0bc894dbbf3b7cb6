// Metadata by URL and saml_idp_directory in a worker: what its thread brings is put in force between two turns of the event loop.
#pragma once

#include "ngx.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "conf.h"

namespace sallyport::ngx {

class MetadataThread;

class MetadataRefresh {
 public:
  // `fetches`: this worker asks for the documents, the others read its copies; and it alone says what changed.
  MetadataRefresh(MainConf& conf, bool fetches);
  ~MetadataRefresh();
  MetadataRefresh(const MetadataRefresh&) = delete;
  MetadataRefresh& operator=(const MetadataRefresh&) = delete;

 private:
  static void on_timer(ngx_event_t* event);
  void only_follow();
  void look_at_directory();
  void take();
  void put_in_force(const IdpConf& idp, const saml::IdpMetadata& metadata);
  void tell_owners();
  // Some of what the directory brought; false: that was all.
  bool work(std::size_t most);

  MainConf& conf_;
  bool fetches_;
  std::uint64_t last_followed_ = 0;
  std::unique_ptr<MetadataThread> thread_;
  ngx_event_t timer_{};
};

// Whether any saml_idp has metadata by URL, or may come by a directory.
bool has_metadata_to_follow(const MainConf& conf);

}  // namespace sallyport::ngx
