#include "directory_changes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/encoding.h"
#include "conf_finish.h"
#include "conf_message.h"
#include "saml/metadata_update.h"
#include "scratch_conf.h"

namespace sallyport::ngx {

namespace {

std::string describe(const IdpConf* before, const IdpConf& idp) {
  std::string changes = saml::describe_changes(before == nullptr ? nullptr : &before->metadata, idp.metadata);
  return changes.empty() ? changes : ": " + changes;
}

// Who goes makes room for who comes, and the file that changed first comes first.
std::uint64_t turn_of(const IdpDirectory::Change& change) {
  return change.is_gone || change.idp == nullptr ? 0 : std::uint64_t{change.changed} + 1;
}

}  // namespace

void DirectoryChanges::say(ngx_uint_t level, const std::string& text) const {
  if (level > speech_) return;
  ngx_log_error(level, ngx_cycle->log, 0, "saml: %s", log_escape_clause(text, 1500).c_str());
}

void DirectoryChanges::recall(const Owners& remembered, const IdpDirectory& directory) {
  displace(owners_.recall(remembered, [&](const std::string& name) { return directory.has(name); }));
}

void DirectoryChanges::add_all(std::vector<Change> changes, std::uint32_t as_of) {
  Owners wanted;
  for (const Change& change : changes) {
    if (change.idp != nullptr && conf_.idps.find(change.name) == nullptr) wanted[change.name] = claims_of(*change.idp);
  }
  owners_.decide(std::move(wanted));
  add(std::move(changes), as_of);
}

void DirectoryChanges::add(std::vector<Change> changes, std::uint32_t as_of) {
  next_as_of_ = as_of;
  enqueue(std::move(changes));
}

void DirectoryChanges::enqueue(std::vector<Change> changes) {
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return turn_of(a) < turn_of(b); });
  std::move(changes.begin(), changes.end(), std::back_inserter(queue_));
}

void DirectoryChanges::follow(Owners told) {
  owners_.follow(std::move(told));
  has_progress_ = true;
}

std::optional<Owners> DirectoryChanges::take_owners() {
  return owners_.take_news() ? std::optional<Owners>(owners_.held()) : std::nullopt;
}

bool DirectoryChanges::work(std::size_t most, std::vector<std::string>& done) {
  for (; most > 0 && !queue_.empty(); --most) {
    Change change = std::move(queue_.front());
    queue_.pop_front();
    carry_out(std::move(change), done);
  }
  std::move(displaced_.begin(), displaced_.end(), std::back_inserter(done));
  displaced_.clear();
  if (!queue_.empty()) return true;
  has_progress_ = owners_.take_progress() || has_progress_;
  if (!has_progress_ || waiting_.empty()) {
    refuse_rest();
    as_of_ = next_as_of_;
    return false;
  }
  has_progress_ = false;
  std::vector<Change> waiting;
  for (auto& [name, change] : waiting_) waiting.push_back(std::move(change));
  waiting_.clear();
  enqueue(std::move(waiting));
  return true;
}

void DirectoryChanges::carry_out(Change change, std::vector<std::string>& done) {
  const std::string name = change.name;
  waiting_.erase(name);
  for (const std::string& warning : change.warnings) say(NGX_LOG_WARN, warning);
  change.warnings.clear();
  if (change.is_gone) {
    is_reported_.erase(name);
    owners_.forget(name);
    const IdpConf* idp = conf_.idps.find(name);
    if (idp == nullptr || !idp->is_of_directory) return;
    take_out_of_force(name);
    say(NGX_LOG_NOTICE, "saml_idp " + quoted(name) + " is gone with its file " + change.file);
  } else if (change.idp == nullptr) {
    is_reported_.erase(name);
    refuse(change);
    return;
  } else if (put_in_force(change)) {
    is_reported_.erase(name);
  } else {
    waiting_.emplace(name, std::move(change));
    return;
  }
  has_progress_ = true;
  done.push_back(name);
}

bool DirectoryChanges::put_in_force(Change& change) {
  ScratchConf scratch({});
  IdpConf& idp = *change.idp;
  IdpConf* before = conf_.idps.find(idp.name);
  if (before != nullptr && !before->is_of_directory) {
    change.errors = {"saml_idp " + quoted(idp.name) + " stands already at " + place(before->origin) +
                     ": choose another name for the file " + change.file};
    return false;
  }
  displace(owners_.note(idp.name, claims_of(idp)));
  if (!check(scratch.get(), idp) || !owners_.claim(scratch.get(), idp)) {
    change.errors = scratch.take_errors();
    return false;
  }
  for (const std::string& warning : scratch.take_warnings()) say(NGX_LOG_WARN, warning);
  for (SrvConf* server : conf_.servers) {
    if (server->active && server->may_name(idp.name)) put_trust(*server, idp);
  }
  say(NGX_LOG_NOTICE, "saml_idp " + quoted(idp.name) + " of " + change.file + " is in force" +
                          (before == nullptr ? "" : " anew") + describe(before, idp));
  if (before == nullptr) {
    conf_.idps.add(std::move(change.idp));
  } else {
    *before = std::move(idp);
  }
  return true;
}

bool DirectoryChanges::check(ngx_conf_t* cf, IdpConf& idp) {
  if (!link_policy(cf, conf_, idp)) return false;
  idp.rules->timezones = conf_.timezones;
  for (const SrvConf* server : conf_.servers) {
    if (server->active && server->may_name(idp.name) && !check_idp_at(cf, *server, idp)) return false;
  }
  return true;
}

void DirectoryChanges::take_out_of_force(const std::string& name) {
  for (SrvConf* server : conf_.servers) vacate_trust(*server, name);
  conf_.idps.remove(name);
}

// They wait for what another has, as if their files had come later.
void DirectoryChanges::displace(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    IdpConf* idp = conf_.idps.find(name);
    if (idp == nullptr || !idp->is_of_directory) continue;
    Change change;
    change.name = name;
    change.file = idp->origin.file;
    change.idp = std::make_unique<IdpConf>(std::move(*idp));
    // What came of the file since is newer.
    waiting_.try_emplace(name, std::move(change));
    take_out_of_force(name);
    displaced_.push_back(name);
  }
}

void DirectoryChanges::refuse(const Change& change) const {
  const char* then = conf_.idps.find(change.name) != nullptr ? "; the one before stays in force" : "; nobody can log in there";
  for (const std::string& error : change.errors) {
    say(NGX_LOG_ERR, "file " + change.file + " of saml_idp_directory is not taken: " + error + then);
  }
}

void DirectoryChanges::refuse_rest() {
  has_progress_ = false;
  for (const auto& [name, change] : waiting_) {
    if (!std::exchange(is_reported_[name], true)) refuse(change);
  }
}

}  // namespace sallyport::ngx
