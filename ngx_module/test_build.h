// What only a build for tests and benchmarks has (scripts/build-nginx --test-build): stopwatches on the
// gate and on logins, which run with SALLYPORT_TEST_STOPWATCHES in the environment and are reported in
// the log when a worker exits, and made-up sessions. Nothing of it is in an ordinary build.
#pragma once

#include "ngx.h"

#include "conf.h"

namespace sallyport::ngx {

enum class Stopwatch { kGate, kLogin, kLoginCpu, kCount };

#if SALLYPORT_TEST_BUILD

// Adds the time from construction to destruction to the request's lap of the gate.
class Lap {
 public:
  Lap();
  ~Lap();
  Lap(const Lap&) = delete;
  Lap& operator=(const Lap&) = delete;

 private:
  std::uint64_t started_;
};

// The longest of several laps, by the clock and by the thread's CPU time, each recorded as one.
class LongestLap {
 public:
  // Measures from construction to destruction.
  class Part {
   public:
    explicit Part(LongestLap& whole);
    ~Part();
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    LongestLap& whole_;
    std::uint64_t started_;
    std::uint64_t cpu_started_;
  };
  void record() const;

 private:
  std::uint64_t ticks_ = 0;
  std::uint64_t cpu_nanoseconds_ = 0;
};

// The gate's laps of one request are added up: begin where it arrives, record where a session passed.
void begin_gate();
void record_gate();

// SALLYPORT_TEST_SESSIONS=N in the environment: the first worker stores N sessions of the first server's
// first IdP, with 10 attributes, 20 groups and 8 standard headers. Session i's identifier is SHA-256 of
// "session i".
void make_up_sessions(ngx_cycle_t* cycle, const MainConf& conf);

// One line per stopwatch: how many, and the 50th, 99th and 99.9th percentile in nanoseconds.
void report_stopwatches(ngx_log_t* log);

#else

class Lap {
 public:
  Lap() {}
  ~Lap() {}
};
class LongestLap {
 public:
  class Part {
   public:
    explicit Part(LongestLap&) {}
    ~Part() {}
  };
  void record() const {}
};
inline void begin_gate() {}
inline void record_gate() {}
inline void make_up_sessions(ngx_cycle_t*, const MainConf&) {}
inline void report_stopwatches(ngx_log_t*) {}

#endif

}  // namespace sallyport::ngx
