#include "metadata_thread.h"

#include <csignal>

#include "saml/metadata_update.h"
#include "xml/document.h"

namespace sallyport::ngx {

namespace {

using std::chrono::milliseconds;

constexpr Millis kFirstRetry = 10 * kSecond;
constexpr Millis kShortest = kMinute;  // whatever cacheDuration says
// Of many IdPs whose copies are there, not all are asked for at once after a start.
constexpr Millis kSpread = kMinute;

Millis system_now() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

milliseconds MetadataThread::jittered(Millis interval) {
  const Millis most = interval / 10;
  return milliseconds(interval - (most > 0 ? static_cast<Millis>(random_()) % most : 0));
}

MetadataThread::MetadataThread(Settings settings) : settings_(std::move(settings)), fetches_(settings_.idps.size()) {
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < fetches_.size(); ++i) {
    const bool has_copy = settings_.idps[i].current.has_value();
    const Millis spread = has_copy ? kSpread * static_cast<Millis>(i) / static_cast<Millis>(fetches_.size()) : 0;
    fetches_[i].due = begin + milliseconds(spread);
  }
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

void MetadataThread::run() {
  xml::initialize_parser();
  while (!is_ending_) {
    try {
      look_after_copies();
      if (fetcher_) {
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

void MetadataThread::look_after_copies() {
  const FileState state = state_of(settings_.generation_file);
  if (state == generation_) return;
  generation_ = state;
  for (std::size_t i = 0; i < settings_.idps.size() && !is_ending_; ++i) load(i);
}

void MetadataThread::load(std::size_t index) {
  Idp& idp = settings_.idps[index];
  const FileState state = state_of(idp.file);
  if (!state.exists() || state == idp.loaded) return;
  idp.loaded = state;
  const auto document = read_copy(idp.file, settings_.max_bytes);
  if (!document) return report("the copy \"" + idp.file + "\" cannot be read, or is too large");
  auto metadata = check(idp, *document);
  if (!metadata) return report("the copy \"" + idp.file + "\" is not taken: " + metadata.error().detail);
  std::string changes = saml::describe_changes(idp.current ? &*idp.current : nullptr, *metadata);
  idp.current = *metadata;
  const std::lock_guard<std::mutex> lock(mutex_);
  results_.news.push_back({index, std::move(metadata).value(), std::move(changes)});
}

void MetadataThread::fetch() {
  begin_due();
  for (MetadataFetcher::Answer& answer : fetcher_->wait()) take_answer(std::move(answer));
}

void MetadataThread::begin_due() {
  const auto time = Clock::now();
  for (std::size_t i = 0; i < fetches_.size() && fetcher_->has_room(); ++i) {
    Fetch& fetch = fetches_[i];
    if (fetch.is_running || fetch.due > time) continue;
    fetch.is_running = fetcher_->begin(i, settings_.idps[i].url, settings_.max_bytes);
    if (!fetch.is_running) fail(i, "no memory");
  }
}

void MetadataThread::take_answer(MetadataFetcher::Answer answer) {
  fetches_[answer.index].is_running = false;
  if (!answer.problem.empty()) return fail(answer.index, answer.problem);
  const auto metadata = check(settings_.idps[answer.index], answer.body);
  if (!metadata) return fail(answer.index, metadata.error().detail);
  keep(answer.index, answer.body, *metadata);
}

void MetadataThread::keep(std::size_t index, const std::string& document, const saml::IdpMetadata& metadata) {
  const Idp& idp = settings_.idps[index];
  if (read_copy(idp.file, settings_.max_bytes) != document) {
    if (std::string problem = write_copy(idp.file, document); !problem.empty()) return fail(index, problem);
    if (std::string problem = write_copy(settings_.generation_file, std::to_string(++written_)); !problem.empty()) {
      return fail(index, problem);
    }
  }
  const Millis shortest = std::min(kShortest, idp.refresh);
  const Millis interval = std::max(shortest, std::min(idp.refresh, metadata.cache_duration.value_or(idp.refresh)));
  fetches_[index].failures = 0;
  fetches_[index].due = Clock::now() + jittered(interval);
}

void MetadataThread::fail(std::size_t index, const std::string& problem) {
  const Idp& idp = settings_.idps[index];
  Fetch& fetch = fetches_[index];
  const Millis wait = std::min(idp.refresh, kFirstRetry << std::min(fetch.failures, 10u));
  ++fetch.failures;
  fetch.due = Clock::now() + jittered(wait);
  report("metadata of saml_idp \"" + idp.name + "\" by " + idp.url + " is not taken: " + problem + "; " +
         (idp.current ? "the one before stays in force" : "there is none yet, so nobody can log in there") +
         "; next try within " + std::to_string((wait + kSecond - 1) / kSecond) + " s");
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
