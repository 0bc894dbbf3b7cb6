// What became of saml_idp_directory, put in force between two turns of the event loop: all or nothing for each file.
#pragma once

#include "ngx.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf.h"
#include "directory_owners.h"
#include "idp_directory.h"

namespace sallyport::ngx {

class DirectoryChanges {
 public:
  // Reports mistakes, and nothing else, while nginx reads its configuration.
  explicit DirectoryChanges(MainConf& conf) : conf_(conf), owners_(conf) {}
  // In a worker: one reports all, the others nothing.
  void begin_work(bool reports) { speech_ = reports ? NGX_LOG_NOTICE : 0; }

  // Before the first changes: what is remembered of names whose file is there; `directory` was looked at.
  void recall(const Owners& remembered, const IdpDirectory& directory);
  // All files of a start or a reload: between those that want the same, and of which none is known to have it, nobody decides.
  void add_all(std::vector<IdpDirectory::Change> changes, std::uint32_t as_of);
  // `as_of`: IdpDirectory's; true of this worker once all of them are carried out.
  void add(std::vector<IdpDirectory::Change> changes, std::uint32_t as_of);
  std::uint32_t as_of() const { return as_of_; }
  // In a worker that does not tell: who has what by the word of the one that does.
  void follow(Owners told);
  // Who has what, if that changed since the last call.
  std::optional<Owners> take_owners();
  // Carries out at most `most` of them; false: there is nothing more to do. Names of what is new or gone go to `done`.
  bool work(std::size_t most, std::vector<std::string>& done);

 private:
  using Change = IdpDirectory::Change;

  void enqueue(std::vector<Change> changes);
  void carry_out(Change change, std::vector<std::string>& done);
  // False: something that is in force stands against it.
  bool put_in_force(Change& change);
  bool check(ngx_conf_t* cf, IdpConf& idp);
  void take_out_of_force(const std::string& name);
  void displace(const std::vector<std::string>& names);
  void refuse(const Change& change) const;
  void refuse_rest();
  void say(ngx_uint_t level, const std::string& text) const;

  MainConf& conf_;
  DirectoryOwners owners_;
  ngx_uint_t speech_ = NGX_LOG_WARN;  // the level that is not more than reported
  std::deque<Change> queue_;
  // Good by themselves, but not beside what is in force: tried again when that changes.
  std::map<std::string, Change> waiting_;
  std::map<std::string, bool> is_reported_;  // of those
  std::vector<std::string> displaced_;     // since the last call of work()
  bool has_progress_ = false;
  std::uint32_t as_of_ = 0;
  std::uint32_t next_as_of_ = 0;
};

}  // namespace sallyport::ngx
