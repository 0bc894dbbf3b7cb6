// Objects in the order they came, found by their names.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sallyport {

// `Name` is the member that holds the name, which must not change. Of two with one name the first is found. Objects stay
// where they are until they are removed.
template <class T, std::string T::*Name>
class NamedList {
 public:
  T& add(std::unique_ptr<T> item) {
    T& added = *items_.emplace_back(std::move(item));
    auto key = std::make_unique<const std::string>(added.*Name);
    const std::string_view name = *key;
    by_name_.try_emplace(name, Entry{std::move(key), &added});
    return added;
  }

  // Null: nobody's name.
  T* find(std::string_view name) const {
    const auto place = by_name_.find(name);
    return place == by_name_.end() ? nullptr : place->second.item;
  }

  // The one that find() finds; nothing where it finds none. Time: the number of all. The name must not be the object's own.
  void remove(std::string_view name) {
    const auto place = by_name_.find(name);
    if (place == by_name_.end()) return;
    const T* item = place->second.item;
    by_name_.erase(place);
    items_.erase(std::find_if(items_.begin(), items_.end(), [&](const auto& each) { return each.get() == item; }));
  }

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }
  T& front() const { return *items_.front(); }

 private:
  struct Entry {
    std::unique_ptr<const std::string> name;  // what the key shows
    T* item;
  };

  std::vector<std::unique_ptr<T>> items_;
  std::unordered_map<std::string_view, Entry> by_name_;
};

}  // namespace sallyport
