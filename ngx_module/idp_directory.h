// saml_idp_directory as it is seen: which of its files came, changed or went since the last look.
#pragma once

#include "ngx.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conf.h"
#include "idp_block.h"
#include "metadata_copy.h"

namespace sallyport::ngx {

// One owner at a time, of whatever thread: the master reads all of it, then a worker's thread goes on from there.
class IdpDirectory {
 public:
  struct Settings {
    std::string folder;       // absolute
    std::string conf_prefix;  // relative paths in the files begin there
    IdpFileContext context;
  };

  struct Change {
    std::string name;                 // of the saml_idp
    std::string file;
    std::unique_ptr<IdpConf> idp;     // null: the file is gone, or no good
    bool is_gone = false;
    std::uint32_t changed = 0;        // the last of its files, in seconds since the epoch
    std::vector<std::string> errors;  // why it is no good, each with file and line
    std::vector<std::string> warnings;
  };

  enum class Look {
    kAll,      // whatever differs: nginx reads its configuration
    kRested,   // what differs and has been at rest for a second: a worker begins
    kRepeated  // what differs from what is known, and not from the last look: a file that is being written waits
  };

  explicit IdpDirectory(Settings settings) : settings_(std::move(settings)) {}

  std::vector<Change> look(Look kind);
  // Whether the last look found a file of the name.
  bool has(const std::string& name) const;
  // Why the folder could not be listed, once for each reason: then nothing counts as gone. Empty: nothing new.
  std::string take_problem() { return std::exchange(problem_, {}); }
  // Whether something differs that the last look did not take yet.
  bool is_waiting() const { return is_waiting_; }
  // When a look last saw all and left nothing for the next one, in seconds of the node's clock that is never set.
  std::uint32_t as_of() const { return as_of_; }

 private:
  // A file and the files that its lines name.
  struct File {
    std::vector<std::string> paths;   // the file's own first
    std::vector<FileState> known;     // when it was read, in the order of `paths`; empty: it is to be read
    std::vector<FileState> seen;      // at the last look; empty: it was gone
    bool is_listed = false;           // by the last listing
    bool is_taken = false;            // something of it may be in force, whatever is known of it since
  };
  using States = std::vector<FileState>;

  static bool differs(const File& file, const States& now);
  static bool is_due(const File& file, const States& now, Look kind);
  bool list();
  Change take(const std::string& name, File& file, const FileState& state);
  void read(Change& change, File& file);
  void complain(int error);  // of errno

  Settings settings_;
  std::map<std::string, File> files_;  // by name of the saml_idp
  bool is_waiting_ = false;
  std::uint32_t as_of_ = 0;
  std::uint32_t begun_ = 0;            // the present look
  std::string problem_;
  std::string last_problem_;
};

}  // namespace sallyport::ngx
