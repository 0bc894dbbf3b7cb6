#include "directory_owners.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "conf_finish.h"

namespace sallyport::ngx {

namespace {

// What both name.
Claims common(const Claims& a, const Claims& b) {
  Claims both;
  for (const std::string& domain : a.domains) {
    if (b.domains.count(domain) > 0) both.domains.insert(domain);
  }
  if (a.entity_id == b.entity_id) both.entity_id = a.entity_id;
  return both;
}

}  // namespace

DirectoryOwners::Displaced DirectoryOwners::recall(const Owners& remembered,
                                                   const std::function<bool(const std::string& name)>& is_there) {
  Displaced displaced;
  for (const auto& [name, claims] : remembered) {
    if (!is_there(name) || is_block(name)) continue;
    for (std::string& other : take_all(name, claims)) displaced.push_back(std::move(other));
  }
  settle();
  return displaced;
}

void DirectoryOwners::decide(Owners wanted) {
  undecided_ = std::move(wanted);
  settle();
}

DirectoryOwners::Displaced DirectoryOwners::note(const std::string& name, const Claims& wanted) {
  if (const auto undecided = undecided_.find(name); undecided != undecided_.end() && undecided->second != wanted) {
    undecided->second = wanted;
    settle();
  }
  const auto told = told_.find(name);
  if (told == told_.end()) return {};
  Displaced displaced = take_all(name, common(told->second, wanted));
  if (is_unsettled_) settle();
  return displaced;
}

bool DirectoryOwners::claim(ngx_conf_t* cf, const IdpConf& idp) {
  const Claims before = held_[idp.name];
  release(conf_, idp.name, before);
  if (!ngx::claim(cf, conf_, idp)) {
    hold(idp.name, before);
    return false;
  }
  held_[idp.name] = claims_of(idp);
  told_.erase(idp.name);
  has_news_ = has_news_ || held_[idp.name] != before;
  return true;
}

void DirectoryOwners::forget(const std::string& name) {
  drop(name);
  told_.erase(name);
  if (undecided_.erase(name) > 0) settle();
}

// What it had a moment ago is free.
void DirectoryOwners::hold(const std::string& name, const Claims& claims) {
  for (const std::string& domain : claims.domains) static_cast<void>(conf_.email_domains.add(domain, name));
  if (!claims.entity_id.empty()) conf_.unsolicited.try_emplace(claims.entity_id, name);
}

void DirectoryOwners::drop(const std::string& name) {
  const auto held = held_.find(name);
  if (held == held_.end()) return;
  release(conf_, name, held->second);
  held_.erase(held);
  has_progress_ = true;
  has_news_ = true;
}

void DirectoryOwners::free_nobodys() {
  for (const std::string& domain : std::exchange(nobodys_domains_, {})) conf_.email_domains.remove(domain, kNobody);
  for (const std::string& entity_id : std::exchange(nobodys_entities_, {})) conf_.unsolicited.erase(entity_id);
}

bool DirectoryOwners::is_block(const std::string& name) const {
  const IdpConf* idp = conf_.idps.find(name);
  return idp != nullptr && !idp->is_of_directory;
}

bool DirectoryOwners::give_way(const std::string& owner, Displaced& displaced) {
  if (is_block(owner)) return false;
  is_unsettled_ = true;
  if (owner == kNobody) {
    free_nobodys();
  } else {
    drop(owner);
    displaced.push_back(owner);
  }
  return true;
}

void DirectoryOwners::take(const std::string& name, const std::string& domain, Displaced& displaced) {
  while (const auto other = conf_.email_domains.add(domain, name)) {
    if (!give_way(other->owner, displaced)) return;
  }
  held_[name].domains.insert(domain);
}

void DirectoryOwners::take_entity(const std::string& name, const std::string& entity_id, Displaced& displaced) {
  const auto place = conf_.unsolicited.find(entity_id);
  if (place != conf_.unsolicited.end() && !give_way(std::string(place->second), displaced)) return;
  conf_.unsolicited[entity_id] = name;
  held_[name].entity_id = entity_id;
}

DirectoryOwners::Displaced DirectoryOwners::take_all(const std::string& name, const Claims& claims) {
  Displaced displaced;
  const Claims before = held_[name];
  for (const std::string& domain : claims.domains) {
    if (before.domains.count(domain) == 0) take(name, domain, displaced);
  }
  if (!claims.entity_id.empty() && before.entity_id.empty()) take_entity(name, claims.entity_id, displaced);
  has_news_ = has_news_ || held_[name] != before;
  return displaced;
}

// Of those that are undecided, what nobody has. Whatever covers a domain comes before it: a pattern of sub-domains is shorter than
// each of them.
std::vector<DirectoryOwners::Wish> DirectoryOwners::open_wishes() {
  std::vector<Wish> wishes;
  for (const auto& [name, claims] : undecided_) {
    const auto held = held_.find(name);
    for (const std::string& domain : claims.domains) {
      if (held != held_.end() && held->second.domains.count(domain) > 0) continue;
      if (conf_.email_domains.add(domain, name)) continue;
      conf_.email_domains.remove(domain, name);
      wishes.push_back({name, domain});
    }
  }
  std::stable_sort(wishes.begin(), wishes.end(),
                   [](const Wish& a, const Wish& b) { return a.domain.size() < b.domain.size(); });
  return wishes;
}

std::set<std::string> DirectoryOwners::find_rivals(const std::vector<Wish>& open) const {
  std::set<std::string> rivals;
  policy::EmailDomainIndex domains;
  for (const Wish& wish : open) {
    if (const auto other = domains.add(wish.domain, wish.name)) rivals.insert({wish.name, other->owner});
  }
  std::map<std::string_view, std::string_view> entities;
  for (const auto& [name, claims] : undecided_) {
    if (claims.entity_id.empty() || conf_.unsolicited.count(claims.entity_id) > 0) continue;
    const auto [place, is_new] = entities.try_emplace(claims.entity_id, name);
    if (!is_new) rivals.insert({name, std::string(place->second)});
  }
  return rivals;
}

void DirectoryOwners::settle() {
  is_unsettled_ = false;
  free_nobodys();
  const std::vector<Wish> open = open_wishes();
  const std::set<std::string> rivals = find_rivals(open);
  for (auto each = undecided_.begin(); each != undecided_.end();) {
    each = rivals.count(each->first) == 0 ? undecided_.erase(each) : std::next(each);
  }
  for (const Wish& wish : open) {
    if (rivals.count(wish.name) == 0 || conf_.email_domains.add(wish.domain, kNobody)) continue;
    nobodys_domains_.push_back(wish.domain);
  }
  for (const auto& [name, claims] : undecided_) {
    if (claims.entity_id.empty() || !conf_.unsolicited.try_emplace(claims.entity_id, kNobody).second) continue;
    nobodys_entities_.push_back(claims.entity_id);
  }
  has_progress_ = true;
}

}  // namespace sallyport::ngx
