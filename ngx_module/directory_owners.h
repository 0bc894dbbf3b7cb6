// Whose an e-mail domain or entity ID is among the files of saml_idp_directory: who has it keeps it, in whatever order files are
// read.
#pragma once

#include "ngx.h"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conf.h"
#include "owners_memory.h"

namespace sallyport::ngx {

class DirectoryOwners {
 public:
  explicit DirectoryOwners(MainConf& conf) : conf_(conf) {}

  // Names of those that had to give way, of which nothing is claimed any more.
  using Displaced = std::vector<std::string>;
  // Before the first changes: what is remembered of names whose file is there is theirs, also while the file is no good.
  Displaced recall(const Owners& remembered, const std::function<bool(const std::string& name)>& is_there);
  // What is wanted by several of these, and nobody's yet, is nobody's until all but one have given it up.
  void decide(Owners wanted);
  // In a worker that does not tell: what the one that tells has found since.
  void follow(Owners told) { told_ = std::move(told); }

  // A good file of the name wants that: where it is known to be its own, others give way.
  Displaced note(const std::string& name, const Claims& wanted);
  // All or nothing; when false (after a message) the name has what it had before.
  bool claim(ngx_conf_t* cf, const IdpConf& idp);
  // The file is gone.
  void forget(const std::string& name);

  const Owners& held() const { return held_; }
  // Whether something became free since the last call, so that who waits may have it.
  bool take_progress() { return std::exchange(has_progress_, false); }
  // Whether held() changed since the last call.
  bool take_news() { return std::exchange(has_news_, false); }

 private:
  struct Wish {
    std::string name;
    std::string domain;
  };

  bool is_block(const std::string& name) const;
  void hold(const std::string& name, const Claims& claims);
  void drop(const std::string& name);
  void free_nobodys();
  // False: what stands in nginx.conf stays.
  bool give_way(const std::string& owner, Displaced& displaced);
  void take(const std::string& name, const std::string& domain, Displaced& displaced);
  void take_entity(const std::string& name, const std::string& entity_id, Displaced& displaced);
  Displaced take_all(const std::string& name, const Claims& claims);
  std::vector<Wish> open_wishes();
  std::set<std::string> find_rivals(const std::vector<Wish>& open) const;
  void settle();

  MainConf& conf_;
  Owners held_;       // also of names that are not in force
  Owners told_;       // until a newer file of the name counts here
  Owners undecided_;  // what those want that want the same
  std::vector<std::string> nobodys_domains_;
  std::vector<std::string> nobodys_entities_;
  bool is_unsettled_ = false;  // what is undecided is to be looked at anew
  bool has_progress_ = false;
  bool has_news_ = true;
};

}  // namespace sallyport::ngx
