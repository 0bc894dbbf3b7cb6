#include "metadata_refresh.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "bridge.h"
#include "conf_finish.h"
#include "directory_changes.h"
#include "idp_directory.h"
#include "metadata_thread.h"

namespace sallyport::ngx {

namespace {

constexpr ngx_msec_t kInterval = 1000;
// A worker that follows a dead one reads what came since the configuration was read.
constexpr ngx_msec_t kFirst = 50;
// Changes of the directory in one turn of the event loop.
constexpr std::size_t kAtOnce = 8;

// Its lines decide which documents count: what was checked for other ones is told by its number.
MetadataThread::Idp follow(IdpConf& conf, std::uint64_t number) {
  conf.source->followed_as = number;
  MetadataThread::Idp idp;
  idp.number = number;
  idp.name = conf.name;
  idp.url = conf.source->url;
  idp.file = conf.source->copy_file;
  idp.entity_id = conf.metadata_entity;
  idp.refresh = conf.source->refresh;
  idp.signers = conf.metadata_signers;
  if (!conf.metadata.signing.empty()) idp.current = conf.metadata;
  idp.loaded = conf.source->copy_state;
  return idp;
}

}  // namespace

bool has_metadata_to_follow(const MainConf& conf) {
  return conf.directory != nullptr ||
         std::any_of(conf.idps.begin(), conf.idps.end(), [](const auto& idp) { return idp->source.has_value(); });
}

MetadataRefresh::MetadataRefresh(MainConf& conf, bool fetches) : conf_(conf), fetches_(fetches) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (conf.directory != nullptr) look_at_directory();
  MetadataThread::Settings settings;
  if (conf.cache_path.is_set()) settings.generation_file = generation_file(conf);
  settings.max_bytes = conf.max_metadata_size;
  settings.fetches = fetches;
  settings.directory = conf.directory;
  settings.owners_file = owners_file(conf);
  for (const auto& idp : conf.idps) {
    if (idp->source) settings.idps.push_back(follow(*idp, ++last_followed_));
  }
  thread_ = std::make_unique<MetadataThread>(std::move(settings));
  timer_.handler = on_timer;
  timer_.data = this;
  timer_.log = ngx_cycle->log;
  timer_.cancelable = 1;
  ngx_add_timer(&timer_, kFirst);
}

MetadataRefresh::~MetadataRefresh() {
  if (timer_.timer_set) ngx_del_timer(&timer_);
}

// A worker that follows a dead one has the configuration as it was read long ago: nobody is served by that.
void MetadataRefresh::look_at_directory() {
  DirectoryChanges& directory = *conf_.directory_changes;
  directory.begin_work(fetches_);
  auto changes = conf_.directory->look(IdpDirectory::Look::kRested);
  if (const auto owners = shared_owners()) directory.recall(*owners, *conf_.directory);
  directory.add(std::move(changes), conf_.directory->as_of());
  while (work(kAtOnce)) {
  }
}

void MetadataRefresh::on_timer(ngx_event_t* event) {
  auto& self = *static_cast<MetadataRefresh*>(event->data);
  if (ngx_exiting) self.only_follow();
  const bool has_more = fence<bool>(false, ngx_cycle->log, [&] {
    self.take();
    return self.work(kAtOnce);
  });
  ngx_add_timer(event, has_more ? 1 : kInterval);
}

// A worker that goes on for its last connections, as a WebSocket's may be for hours: who is gone is gone there too.
void MetadataRefresh::only_follow() {
  if (!std::exchange(fetches_, false)) return;
  thread_->only_follow();
  if (conf_.directory_changes != nullptr) conf_.directory_changes->begin_work(false);
}

void MetadataRefresh::take() {
  MetadataThread::Results results = thread_->take();
  for (const std::string& problem : results.problems) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "saml: %s", log_escape_clause(problem, 1000).c_str());
  }
  for (const MetadataThread::News& news : results.news) {
    const IdpConf* idp = conf_.idps.find(news.name);
    // It may have changed while this was on its way: then this was checked for other lines.
    if (idp == nullptr || !idp->source || idp->source->followed_as != news.number) continue;
    put_in_force(*idp, news.metadata);
    if (!fetches_ || news.changes.empty()) continue;
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "saml: metadata of saml_idp \"%s\" is in force: %s", idp->name.c_str(),
                  log_escape_clause(news.changes, 1000).c_str());
  }
  if (results.owners) conf_.directory_changes->follow(std::move(*results.owners));
  if (results.as_of != 0) conf_.directory_changes->add(std::move(results.changes), results.as_of);
}

void MetadataRefresh::put_in_force(const IdpConf& idp, const saml::IdpMetadata& metadata) {
  for (SrvConf* server : conf_.servers) {
    if (login::Trust* trust = server->trusts.find(idp.name)) apply_metadata(*trust, *server, idp, metadata);
  }
}

// One tells: where workers see several files in different order, one order counts.
void MetadataRefresh::tell_owners() {
  if (!fetches_ || thread_ == nullptr) return;
  if (auto owners = conf_.directory_changes->take_owners()) thread_->remember(std::move(*owners));
}

bool MetadataRefresh::work(std::size_t most) {
  if (conf_.directory_changes == nullptr) return false;
  std::vector<std::string> done;
  const bool has_more = conf_.directory_changes->work(most, done);
  for (const std::string& name : thread_ == nullptr ? std::vector<std::string>() : done) {
    IdpConf* idp = conf_.idps.find(name);
    if (idp != nullptr && idp->source) {
      thread_->follow(follow(*idp, ++last_followed_));
    } else {
      thread_->forget(name);
    }
  }
  if (!has_more) tell_owners();
  return has_more;
}

}  // namespace sallyport::ngx
