#include "metadata_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>

#include "saml/metadata_update.h"
#include "xml/document.h"

namespace sallyport::ngx {

namespace {

using std::chrono::milliseconds;

constexpr Millis kFirstRetry = 10 * kSecond;
// Of many IdPs whose copies are there, not all are asked for at once after a start.
constexpr Millis kBetweenFirst = 300;
// A look at the directory that finds nothing new takes at most a hundredth of the time until the next, while that is not too long.
constexpr int kRestPerLook = 100;
constexpr milliseconds kShortestRest(900);
constexpr milliseconds kLongestRest(5000);

// Requests come first: the thread never takes the processor from the event loop, and gets little of it beside a busy one. Linux
// counts both for the thread alone.
void give_way() {
#ifdef __linux__
  sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 10);
#endif
}

Millis system_now() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// What it knows of the IdP counts no more.
bool has_expired(const MetadataThread::Idp& idp) {
  return idp.current && idp.current->valid_until && *idp.current->valid_until <= system_now();
}

// What is new, and that logins go on where there were none.
std::string describe_news(const MetadataThread::Idp& idp, const saml::IdpMetadata& metadata) {
  std::string changes = saml::describe_changes(idp.current ? &*idp.current : nullptr, metadata);
  if (!has_expired(idp)) return changes;
  const std::string end = metadata.valid_until ? "valid until " + format_instant(*metadata.valid_until) : "valid without end";
  return changes.empty() ? end : end + " " + changes;
}

// Who can log in while no new document is taken.
std::string state_of_logins(const MetadataThread::Idp& idp) {
  if (!idp.current) return "there is none yet, so nobody can log in there";
  if (!has_expired(idp)) return "the one before stays in force";
  return "the one before expired at " + format_instant(*idp.current->valid_until) + ", so nobody can log in there";
}

}  // namespace

milliseconds MetadataThread::jittered(Millis interval) {
  const Millis most = interval / 10;
  return milliseconds(interval - (most > 0 ? static_cast<Millis>(random_()) % most : 0));
}

MetadataThread::MetadataThread(Settings settings) : settings_(std::move(settings)) {
  const auto begin = Clock::now();
  Millis spread = 0;
  for (Idp& idp : settings_.idps) {
    Followed& followed = followed_[idp.name];
    followed.due = begin + milliseconds(idp.current ? spread : 0);
    spread = (spread + kBetweenFirst) % std::max(idp.refresh, kBetweenFirst);
    followed.idp = std::move(idp);
  }
  settings_.idps.clear();
  next_look_ = begin;
  if (settings_.fetches) fetcher_.emplace();
  // The thread inherits the mask: signals are nginx's own.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

MetadataThread::~MetadataThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (fetcher_) fetcher_->wake();
  thread_.join();
}

MetadataThread::Results MetadataThread::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(results_, {});
}

void MetadataThread::follow(Idp idp) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string name = idp.name;
  orders_.push_back({std::move(name), std::move(idp)});
}

void MetadataThread::forget(std::string name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  orders_.push_back({std::move(name), std::nullopt});
}

void MetadataThread::run() {
  xml::initialize_parser();
  give_way();
  while (!is_ending_) {
    try {
      take_orders();
      look_after_copies();
      look_at_directory();
      const bool leads = fetcher_ && !only_follows_;
      leads ? tell_owners() : hear_of_owners();
      if (leads) {
        fetch();
        continue;
      }
    } catch (const std::exception& problem) {
      report(std::string("metadata could not be looked after: ") + problem.what());
    }
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait_for(lock, std::chrono::seconds(1), [this] { return is_ending_.load(); });
  }
}

void MetadataThread::take_orders() {
  std::vector<Order> orders;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    orders = std::exchange(orders_, {});
  }
  for (Order& order : orders) {
    // A download for what it was before is nobody's.
    followed_.erase(order.name);
    if (!order.idp) continue;
    Followed& followed = followed_[order.name];
    followed.idp = std::move(*order.idp);
    followed.due = Clock::now();
    load(followed.idp);
  }
}

void MetadataThread::look_at_directory() {
  const auto begin = Clock::now();
  if (settings_.directory == nullptr || begin < next_look_) return;
  auto changes = settings_.directory->look(IdpDirectory::Look::kRepeated);
  const auto end = Clock::now();
  const bool has_news = !changes.empty() || settings_.directory->is_waiting();
  const Clock::duration rest = has_news ? Clock::duration::zero() : (end - begin) * kRestPerLook;
  next_look_ = end + std::clamp<Clock::duration>(rest, kShortestRest, kLongestRest);
  std::string problem = settings_.directory->take_problem();
  const std::lock_guard<std::mutex> lock(mutex_);
  std::move(changes.begin(), changes.end(), std::back_inserter(results_.changes));
  results_.as_of = settings_.directory->as_of();
  if (!problem.empty()) results_.problems.push_back(std::move(problem));
}

void MetadataThread::remember(Owners owners) {
  const std::lock_guard<std::mutex> lock(mutex_);
  to_tell_ = std::move(owners);
}

void MetadataThread::tell_owners() {
  std::optional<Owners> owners;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    owners = std::exchange(to_tell_, std::nullopt);
  }
  if (!owners) return;
  if (const std::string problem = remember_owners(*owners, settings_.owners_file); !problem.empty()) {
    report("who has which e-mail domain cannot be kept for the next start: " + problem);
  }
}

void MetadataThread::hear_of_owners() {
  const FileState state = settings_.directory == nullptr ? FileState() : shared_owners_state();
  if (state == heard_) return;
  auto owners = shared_owners();
  if (!owners) return;
  heard_ = state;
  const std::lock_guard<std::mutex> lock(mutex_);
  results_.owners = std::move(owners);
}

void MetadataThread::look_after_copies() {
  if (settings_.generation_file.empty()) return;
  const FileState state = state_of(settings_.generation_file);
  if (state == generation_) return;
  generation_ = state;
  for (auto& [name, followed] : followed_) {
    if (!is_ending_) load(followed.idp);
  }
}

void MetadataThread::load(Idp& idp) {
  const FileState state = state_of(idp.file);
  if (!state.exists() || state == idp.loaded) return;
  idp.loaded = state;
  const auto document = read_copy(idp.file, settings_.max_bytes);
  if (!document) return report("the copy \"" + idp.file + "\" cannot be read, or is too large");
  auto metadata = check(idp, *document);
  if (!metadata) return report("the copy \"" + idp.file + "\" is not taken: " + metadata.error().detail);
  std::string changes = describe_news(idp, *metadata);
  idp.current = *metadata;
  const std::lock_guard<std::mutex> lock(mutex_);
  results_.news.push_back({idp.name, idp.number, std::move(metadata).value(), std::move(changes)});
}

void MetadataThread::fetch() {
  report_expired();
  begin_due();
  for (MetadataFetcher::Answer& answer : fetcher_->wait()) take_answer(std::move(answer));
}

// By the one worker that fetches, and once for each document.
void MetadataThread::report_expired() {
  for (auto& [name, followed] : followed_) {
    const bool was_expired = std::exchange(followed.is_expired, has_expired(followed.idp));
    if (was_expired || !followed.is_expired) continue;
    const Idp& idp = followed.idp;
    report("metadata of saml_idp \"" + name + "\" by " + idp.url + " expired at " + format_instant(*idp.current->valid_until) +
           " (validUntil), and no newer document has come: nobody can log in there until one does");
  }
}

void MetadataThread::begin_due() {
  const auto time = Clock::now();
  for (auto& [name, followed] : followed_) {
    if (!fetcher_->has_room()) return;
    if (followed.running != 0 || followed.due > time) continue;
    if (const auto problem = fetcher_->begin(++last_download_, followed.idp.url, settings_.max_bytes); !problem.empty()) {
      fail(followed, problem);
      continue;
    }
    followed.running = last_download_;
    downloads_.emplace(last_download_, name);
  }
}

void MetadataThread::take_answer(MetadataFetcher::Answer answer) {
  const auto download = downloads_.extract(answer.index);
  const auto place = followed_.find(download.mapped());
  if (place == followed_.end() || place->second.running != answer.index) return;
  Followed& followed = place->second;
  followed.running = 0;
  if (!answer.problem.empty()) return fail(followed, answer.problem);
  const auto metadata = check(followed.idp, answer.body);
  if (!metadata) return fail(followed, metadata.error().detail);
  keep(followed, answer.body, *metadata);
}

void MetadataThread::keep(Followed& followed, const std::string& document, const saml::IdpMetadata& metadata) {
  const Idp& idp = followed.idp;
  if (read_copy(idp.file, settings_.max_bytes) != document) {
    if (std::string problem = write_copy(idp.file, document); !problem.empty()) return fail(followed, problem);
    if (std::string problem = write_copy(settings_.generation_file, std::to_string(++written_)); !problem.empty()) {
      return fail(followed, problem);
    }
  }
  followed.failures = 0;
  followed.due = Clock::now() + jittered(saml::refresh_interval(metadata, idp.refresh, system_now()));
}

void MetadataThread::fail(Followed& followed, const std::string& problem) {
  const Idp& idp = followed.idp;
  const Millis wait = std::min(idp.refresh, kFirstRetry << std::min(followed.failures, 10u));
  ++followed.failures;
  followed.due = Clock::now() + jittered(wait);
  report("metadata of saml_idp \"" + idp.name + "\" by " + idp.url + " is not taken: " + problem + "; " +
         state_of_logins(idp) + "; next try within " + std::to_string((wait + kSecond - 1) / kSecond) + " s");
}

Result<saml::IdpMetadata> MetadataThread::check(const Idp& idp, std::string_view document) const {
  saml::MetadataExpectation expected;
  expected.signers = idp.signers.empty() ? nullptr : &idp.signers;
  expected.entity_id = idp.entity_id;
  expected.current = idp.current ? &*idp.current : nullptr;
  expected.now = system_now();
  expected.max_bytes = settings_.max_bytes;
  return saml::check_metadata(document, expected);
}

void MetadataThread::report(std::string problem) {
  const std::lock_guard<std::mutex> lock(mutex_);
  results_.problems.push_back(std::move(problem));
}

}  // namespace sallyport::ngx
