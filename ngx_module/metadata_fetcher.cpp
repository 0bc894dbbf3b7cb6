#include "metadata_fetcher.h"

#include <curl/curl.h>

#include <cstdlib>
#include <map>
#include <new>

#include "base/c_ptr.h"

namespace sallyport::ngx {

namespace {

constexpr long kSeconds = 10;
constexpr long kConnectSeconds = 5;
constexpr long kMostRedirections = 3;
constexpr int kWaitMilliseconds = 1000;

struct Download {
  MetadataFetcher::Answer answer;
  std::size_t max_bytes = 0;
  bool is_too_large = false;
  char error[CURL_ERROR_SIZE] = "";
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* context) {
  auto& download = *static_cast<Download*>(context);
  const std::size_t bytes = size * count;
  if (bytes > download.max_bytes - download.answer.body.size()) {
    download.is_too_large = true;
    return 0;
  }
  try {
    download.answer.body.append(data, bytes);
  } catch (...) {
    return 0;
  }
  return bytes;
}

std::string problem_of(CURL* easy, CURLcode code, const Download& download) {
  if (code == CURLE_OK) return {};
  if (download.is_too_large) return "it is larger than saml_max_metadata_size (" + std::to_string(download.max_bytes) + " bytes)";
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_HTTP_RETURNED_ERROR) return "the server answered " + std::to_string(status);
  return download.error[0] != '\0' ? download.error : curl_easy_strerror(code);
}

// Sets one option after another until libcurl does not take one: no download goes on without its limits.
class Options {
 public:
  explicit Options(CURL* easy) : easy_(easy) {}

  template <class Value>
  void set(CURLoption option, Value value) {
    if (!problem_.empty()) return;
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (code != CURLE_OK) problem_ = "libcurl does not take its option " + name_of(option) + ": " + curl_easy_strerror(code);
  }
  const std::string& problem() const { return problem_; }

 private:
  static std::string name_of(CURLoption option) {
    const curl_easyoption* known = curl_easy_option_by_id(option);
    return known == nullptr ? std::to_string(option) : known->name;
  }

  CURL* easy_;
  std::string problem_;
};

// What was wrong; empty: nothing.
std::string set_up(CURL* easy, const std::string& url, Download& download) {
  Options options(easy);
  options.set(CURLOPT_URL, url.c_str());
  options.set(CURLOPT_PROTOCOLS_STR, "https");
  options.set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  options.set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (const char* file = std::getenv("SSL_CERT_FILE")) options.set(CURLOPT_CAINFO, file);
  options.set(CURLOPT_FOLLOWLOCATION, 1L);
  options.set(CURLOPT_MAXREDIRS, kMostRedirections);
  options.set(CURLOPT_TIMEOUT, kSeconds);
  options.set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  options.set(CURLOPT_NOSIGNAL, 1L);
  options.set(CURLOPT_FAILONERROR, 1L);
  options.set(CURLOPT_ACCEPT_ENCODING, "");
  options.set(CURLOPT_USERAGENT, "Sallyport");
  options.set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  options.set(CURLOPT_ERRORBUFFER, download.error);
  options.set(CURLOPT_WRITEFUNCTION, take);
  options.set(CURLOPT_WRITEDATA, &download);
  // A worker that ends does not wait for name servers; where libcurl cannot do that, it does.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  return options.problem();
}

}  // namespace

struct MetadataFetcher::Impl {
  CURLM* multi = curl_multi_init();
  std::map<CURL*, std::unique_ptr<Download>> downloads;

  ~Impl() {
    for (const auto& [easy, download] : downloads) {
      curl_multi_remove_handle(multi, easy);
      curl_easy_cleanup(easy);
    }
    curl_multi_cleanup(multi);
  }

  std::vector<Answer> take_finished() {
    std::vector<Answer> answers;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const auto place = downloads.find(easy);
      place->second->answer.problem = problem_of(easy, message->data.result, *place->second);
      answers.push_back(std::move(place->second->answer));
      downloads.erase(place);
      curl_multi_remove_handle(multi, easy);
      curl_easy_cleanup(easy);
    }
    return answers;
  }
};

MetadataFetcher::MetadataFetcher() : impl_(std::make_unique<Impl>()) {
  if (impl_->multi == nullptr) throw std::bad_alloc();
}

MetadataFetcher::~MetadataFetcher() = default;

bool MetadataFetcher::has_room() const { return impl_->downloads.size() < kMostAtOnce; }

std::string MetadataFetcher::begin(std::size_t index, const std::string& url, std::size_t max_bytes) {
  auto download = std::make_unique<Download>();
  download->answer.index = index;
  download->max_bytes = max_bytes;
  CPtr<CURL, curl_easy_cleanup> easy(curl_easy_init());
  if (easy == nullptr) return "no memory";
  if (std::string problem = set_up(easy.get(), url, *download); !problem.empty()) return problem;
  const auto place = impl_->downloads.emplace(easy.get(), std::move(download)).first;
  const CURLMcode code = curl_multi_add_handle(impl_->multi, easy.get());
  if (code != CURLM_OK) {
    impl_->downloads.erase(place);
    return curl_multi_strerror(code);
  }
  (void) easy.release();  // the entry's now
  return {};
}

std::vector<MetadataFetcher::Answer> MetadataFetcher::wait() {
  int running = 0;
  curl_multi_perform(impl_->multi, &running);
  auto answers = impl_->take_finished();
  if (!answers.empty()) return answers;
  curl_multi_poll(impl_->multi, nullptr, 0, kWaitMilliseconds, nullptr);
  curl_multi_perform(impl_->multi, &running);
  return impl_->take_finished();
}

void MetadataFetcher::wake() { curl_multi_wakeup(impl_->multi); }

}  // namespace sallyport::ngx
