// A value or an Error; the core throws nothing on purpose.
#pragma once

#include <utility>
#include <variant>

#include "base/error.h"

namespace sallyport {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  const T& value() const& { return *std::get_if<0>(&state_); }
  T& value() & { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  T* operator->() { return std::get_if<0>(&state_); }

  // Only when not ok().
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

// Done, or why not.
struct Done {};
using Status = Result<Done>;

}  // namespace sallyport

// Leaves the current function with the error of a Status, for runs of checks.
#define SALLYPORT_TRY(expression)                                      \
  do {                                                                 \
    if (auto sallyport_status = (expression); !sallyport_status.ok()) { \
      return std::move(sallyport_status).error();                      \
    }                                                                  \
  } while (false)
