// Log lines that anybody can cause.
#pragma once

#include <cstddef>

#include "base/instant.h"

namespace sallyport::ngx {

// Lets a line into the log once a minute, and counts what it stands for.
class OnceAMinute {
 public:
  // How many the line is to speak of, this one included; 0: not now.
  std::size_t note(Millis now) {
    ++count_;
    if (now - logged_ < kMinute && logged_ <= now) return 0;
    logged_ = now;
    const std::size_t count = count_;
    count_ = 0;
    return count;
  }

 private:
  std::size_t count_ = 0;
  Millis logged_ = 0;
};

}  // namespace sallyport::ngx
