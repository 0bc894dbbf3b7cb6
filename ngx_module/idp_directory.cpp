#include "idp_directory.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/c_ptr.h"
#include "conf_message.h"
#include "conf_value.h"
#include "node_seconds.h"
#include "scratch_conf.h"

namespace sallyport::ngx {

namespace {

constexpr std::string_view kEnding = ".conf";
constexpr std::uint64_t kMaxFile = 64 * 1024;
constexpr Millis kRest = kSecond;
// Two changes within it may bear the same time.
constexpr Millis kTick = 20;
constexpr std::int64_t kNanosPerMilli = 1'000'000;

// NAME of NAME.conf; nullopt for all others, as editors' own files are.
std::optional<std::string> idp_name_of(std::string_view entry) {
  if (entry.size() <= kEnding.size() || entry.front() == '.') return std::nullopt;
  if (entry.substr(entry.size() - kEnding.size()) != kEnding) return std::nullopt;
  return std::string(entry.substr(0, entry.size() - kEnding.size()));
}

std::vector<FileState> states_of(const std::vector<std::string>& paths) {
  std::vector<FileState> states;
  for (const std::string& path : paths) states.push_back(state_of(path));
  // Of a file that is gone nothing else matters.
  if (!states.front().exists()) states.clear();
  return states;
}

Millis clock_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Whether all were as they are for so long before `time`.
bool are_older(const std::vector<FileState>& states, Millis age, Millis time) {
  return std::all_of(states.begin(), states.end(),
                     [&](const FileState& state) { return state.changed / kNanosPerMilli + age <= time; });
}

// In seconds since the epoch.
std::uint32_t last_change(const std::vector<FileState>& states) {
  std::int64_t last = 0;
  for (const FileState& state : states) last = std::max(last, state.changed);
  return static_cast<std::uint32_t>(last / kNanosPerMilli / kSecond);
}

int close_folder(DIR* folder) { return ::closedir(folder); }

}  // namespace

// A file that is gone differs as long as anything was taken of it: what is known of it may have been forgotten.
bool IdpDirectory::differs(const File& file, const States& now) {
  return now.empty() ? file.is_taken : now != file.known;
}

bool IdpDirectory::is_due(const File& file, const States& now, Look kind) {
  if (!differs(file, now)) return false;
  switch (kind) {
    case Look::kAll:
      return true;
    case Look::kRested:
      return are_older(now, kRest, clock_now());
    case Look::kRepeated:
      return now == file.seen;
  }
  return false;
}

std::vector<IdpDirectory::Change> IdpDirectory::look(Look kind) {
  std::vector<Change> changes;
  is_waiting_ = false;
  begun_ = node_seconds();
  if (!list()) return changes;
  for (auto each = files_.begin(); each != files_.end();) {
    auto& [name, file] = *each;
    const States states = file.is_listed ? states_of(file.paths) : States();
    const bool is_change = is_due(file, states, kind);
    is_waiting_ = is_waiting_ || (!is_change && differs(file, states));
    file.seen = states;
    if (is_change) changes.push_back(take(name, file, states.empty() ? FileState() : states.front()));
    const bool is_over = states.empty() && !file.is_taken;
    each = is_over ? files_.erase(each) : std::next(each);
  }
  if (!is_waiting_) as_of_ = begun_;
  return changes;
}

bool IdpDirectory::has(const std::string& name) const {
  const auto file = files_.find(name);
  return file != files_.end() && file->second.is_listed;
}

bool IdpDirectory::list() {
  const CPtr<DIR, close_folder> folder(::opendir(settings_.folder.c_str()));
  if (folder == nullptr) {
    complain(errno);
    return false;
  }
  for (auto& [name, file] : files_) file.is_listed = false;
  errno = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const auto name = idp_name_of(entry->d_name);
    if (name) {
      File& file = files_[*name];
      if (file.paths.empty()) file.paths.push_back(settings_.folder + "/" + entry->d_name);
      file.is_listed = true;
    }
    errno = 0;
  }
  if (errno == 0) last_problem_.clear();
  if (errno != 0) complain(errno);
  return errno == 0;
}

void IdpDirectory::complain(int error) {
  const std::string why = std::strerror(error);
  if (why == last_problem_) return;
  last_problem_ = why;
  const bool is_missing = error == ENOENT || error == ENOTDIR;
  problem_ = "saml_idp_directory " + quoted(settings_.folder) + " cannot be listed (" + why +
             "): its files stay in force as they were; " +
             (is_missing ? "make the folder, it may be empty" : "let the user that workers run as read the folder");
}

IdpDirectory::Change IdpDirectory::take(const std::string& name, File& file, const FileState& state) {
  const std::string& path = file.paths.front();
  Change change;
  change.name = name;
  change.file = path;
  change.is_gone = !state.exists();
  file.known = file.seen;
  file.is_taken = !change.is_gone;
  if (change.is_gone) return change;
  if (!is_simple_name(name) || is_word(name, "off")) {
    change.errors.push_back("the name of a saml_idp is at most 64 letters, digits, \".\", \"_\", \"-\" (and not \"off\"), not " +
                            quoted(name) + " in " + path);
  } else if (!state.is_plain || state.size > kMaxFile) {
    change.errors.push_back("it is no file, or larger than " + std::to_string(kMaxFile) + " bytes in " + path);
  } else {
    read(change, file);
  }
  return change;
}

void IdpDirectory::read(Change& change, File& file) {
  const Millis begin = clock_now();
  ScratchConf scratch(settings_.conf_prefix);
  std::vector<std::string> others;
  change.idp = read_idp_file(scratch.get(), change.name, change.file, settings_.context, others);
  change.errors = scratch.take_errors();
  change.warnings = scratch.take_warnings();
  if (change.idp == nullptr && change.errors.empty()) change.errors.push_back("it cannot be read in " + change.file);
  if (change.idp != nullptr) change.idp->generation = begun_;
  change.changed = last_change(file.seen);
  if (std::equal(others.begin(), others.end(), file.paths.begin() + 1, file.paths.end())) return;
  file.paths.resize(1);
  file.paths.insert(file.paths.end(), others.begin(), others.end());
  // Those that its lines did not name before may have changed while they were read: then all of it is read once more.
  States states = states_of(file.paths);
  if (!states.empty()) states.front() = file.known.front();
  file.known = are_older(states, kTick, begin) ? states : States();
}

}  // namespace sallyport::ngx
