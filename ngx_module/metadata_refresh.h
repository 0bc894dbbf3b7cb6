// Metadata by URL in a worker: what its thread brings is put in force between two turns of the event loop.
#pragma once

#include "ngx.h"

#include <memory>
#include <vector>

#include "conf.h"

namespace sallyport::ngx {

class MetadataThread;

class MetadataRefresh {
 public:
  // `fetches`: this worker asks for the documents, the others read its copies.
  MetadataRefresh(MainConf& conf, bool fetches);
  ~MetadataRefresh();
  MetadataRefresh(const MetadataRefresh&) = delete;
  MetadataRefresh& operator=(const MetadataRefresh&) = delete;

 private:
  static void on_timer(ngx_event_t* event);
  void take();
  void put_in_force(const IdpConf& idp, const saml::IdpMetadata& metadata);

  MainConf& conf_;
  bool fetches_;
  std::vector<const IdpConf*> idps_;  // as the thread counts them
  std::unique_ptr<MetadataThread> thread_;
  ngx_event_t timer_{};
};

// Whether any saml_idp has metadata by URL.
bool has_metadata_by_url(const MainConf& conf);

}  // namespace sallyport::ngx
