#include "test_build.h"

#if SALLYPORT_TEST_BUILD

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "bridge.h"
#include "policy/identity_headers.h"
#include "session_zone.h"

namespace sallyport::ngx {

namespace {

std::uint64_t nanoseconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000000u +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// The cheapest clock there is: two readings must not cost what is measured.
std::uint64_t ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return nanoseconds_of(CLOCK_MONOTONIC);
#endif
}

const std::uint64_t kTicksAtStart = ticks();
const std::uint64_t kTimeAtStart = nanoseconds_of(CLOCK_MONOTONIC);

double nanoseconds_per_tick() {
  const auto passed = static_cast<double>(ticks() - kTicksAtStart);
  return passed > 0 ? static_cast<double>(nanoseconds_of(CLOCK_MONOTONIC) - kTimeAtStart) / passed : 1;
}

// Counts by duration: 32 buckets to each doubling, so that a percentile is right to 3 %.
class Histogram {
 public:
  void add(std::uint64_t duration) {
    const double position = std::log2(static_cast<double>(duration + 1)) * kSteps;
    ++buckets_[std::min(static_cast<std::size_t>(position), buckets_.size() - 1)];
    ++count_;
  }
  std::uint64_t count() const { return count_; }
  double percentile(double part) const {
    const double wanted = static_cast<double>(count_) * part;
    double seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += static_cast<double>(buckets_[i]);
      if (seen >= wanted) return std::exp2((static_cast<double>(i) + 0.5) / kSteps);
    }
    return 0;
  }

 private:
  static constexpr double kSteps = 32;
  std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>(64 * 32);
  std::uint64_t count_ = 0;
};

Histogram histograms[static_cast<std::size_t>(Stopwatch::kCount)];
constexpr const char* kNames[] = {"gate", "login", "login_cpu"};
std::uint64_t gate_ticks = 0;

// Reading the time costs time: a run that compares the CPU of requests leaves it out.
const bool kStopwatchesRun = std::getenv("SALLYPORT_TEST_STOPWATCHES") != nullptr;

std::string fixture_record(const login::Trust& trust, std::size_t index, Millis time) {
  session::RecordBuilder builder;
  builder.set_binding(trust.binding);
  builder.set_resolution({trust.rules_digest, 0});
  builder.set_times(time, time, time + 8 * kHour);
  const std::string user = "user" + std::to_string(index) + "@example.com";
  builder.set(session::Field::kUser, user);
  builder.set(session::Field::kEmail, user);
  builder.set(session::Field::kDisplayName, "Robin Sample" + std::to_string(index));
  builder.set(session::Field::kTimezone, "Europe/Berlin");
  builder.set(session::Field::kSpaces, "Trial=Space Member,DevOps=Space Developer");
  builder.set(session::Field::kRoles, "Space Member,Space Developer");
  std::string groups;
  for (int i = 0; i < 20; ++i) groups += (i ? ",Group-" : "Group-") + std::to_string(1000 + i);
  builder.set(session::Field::kGroups, groups);
  builder.set(session::Field::kIdp, trust.idp_name);
  builder.set(session::Field::kNameId, user);
  builder.set(session::Field::kSessionIndex, "_" + std::to_string(index));
  builder.add_attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", user);
  builder.add_attribute("http://schemas.xmlsoap.org/claims/Group", groups);
  for (int i = 0; i < 8; ++i) {
    builder.add_attribute("urn:oid:2.5.4." + std::to_string(40 + i),
                          "value" + std::to_string(index * 8 + static_cast<std::size_t>(i)));
  }
  return builder.build().value_or("");
}

}  // namespace

Lap::Lap() : started_(kStopwatchesRun ? ticks() : 0) {}

Lap::~Lap() {
  if (kStopwatchesRun) gate_ticks += ticks() - started_;
}

LongestLap::Part::Part(LongestLap& whole)
    : whole_(whole),
      started_(kStopwatchesRun ? ticks() : 0),
      cpu_started_(kStopwatchesRun ? nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) : 0) {}

LongestLap::Part::~Part() {
  if (!kStopwatchesRun) return;
  whole_.ticks_ = std::max(whole_.ticks_, ticks() - started_);
  whole_.cpu_nanoseconds_ =
      std::max(whole_.cpu_nanoseconds_, nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_started_);
}

void LongestLap::record() const {
  if (!kStopwatchesRun) return;
  histograms[static_cast<std::size_t>(Stopwatch::kLogin)].add(ticks_);
  histograms[static_cast<std::size_t>(Stopwatch::kLoginCpu)].add(cpu_nanoseconds_);
}

void begin_gate() { gate_ticks = 0; }

void record_gate() {
  if (!kStopwatchesRun) return;
  histograms[static_cast<std::size_t>(Stopwatch::kGate)].add(gate_ticks);
}

void make_up_sessions(ngx_cycle_t* cycle, const MainConf& conf) {
  const char* wanted = std::getenv("SALLYPORT_TEST_SESSIONS");
  if (wanted == nullptr || ngx_worker != 0) return;
  const SrvConf* server = nullptr;
  for (const SrvConf* each : conf.servers) {
    if (server == nullptr && !each->trusts.empty()) server = each;
  }
  if (server == nullptr) return;
  const login::Trust& trust = server->trusts.front();
  SessionZone& zone = *session_zone(&conf);
  const std::size_t count = std::strtoul(wanted, nullptr, 10);
  const Millis time = now();
  std::size_t evicted = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Digest id = sha256("session " + std::to_string(i));
    const std::string record = fixture_record(trust, i, time);
    bytes += record.size();
    evicted += zone.table()
                   .insert(sha256(as_view(id)), session::with_front(record), time + 8 * kHour, time,
                           i + 1, i + 1)
                   .live_evicted;
  }
  const session::Stats stats = zone.table().stats();
  ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                "saml: test sessions made=%uz evicted=%uz record_bytes=%uz zone_bytes_used=%uL",
                count, evicted, count ? bytes / count : 0, stats.bytes_used);
}

void report_stopwatches(ngx_log_t* log) {
  const double tick = nanoseconds_per_tick();
  for (std::size_t i = 0; i < static_cast<std::size_t>(Stopwatch::kCount); ++i) {
    const Histogram& histogram = histograms[i];
    if (histogram.count() == 0) continue;
    const double scale = i == static_cast<std::size_t>(Stopwatch::kLoginCpu) ? 1 : tick;
    ngx_log_error(NGX_LOG_NOTICE, log, 0, "saml: stopwatch %s n=%uL p50=%.0f p99=%.0f p999=%.0f",
                  kNames[i], histogram.count(), histogram.percentile(0.5) * scale,
                  histogram.percentile(0.99) * scale, histogram.percentile(0.999) * scale);
  }
}

}  // namespace sallyport::ngx

#endif
