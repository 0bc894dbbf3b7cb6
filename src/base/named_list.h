// Objects in the order they came, found by their names.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport {

// `Name` is the member that holds the name, which must not change. Of two with one name the first is found. Objects stay
// where they are.
template <class T, std::string T::*Name>
class NamedList {
 public:
  T& add(std::unique_ptr<T> item) {
    T& added = *items_.emplace_back(std::move(item));
    by_name_.try_emplace(added.*Name, &added);
    return added;
  }

  // Null: nobody's name.
  T* find(std::string_view name) const {
    const auto place = by_name_.find(name);
    return place == by_name_.end() ? nullptr : place->second;
  }

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  T& front() const { return *items_.front(); }

 private:
  std::vector<std::unique_ptr<T>> items_;
  std::unordered_map<std::string_view, T*> by_name_;  // views of the items' own
};

}  // namespace sallyport
