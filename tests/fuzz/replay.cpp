// Runs fuzz targets over files: fuzz_replay FOLDER... Each FOLDER/TARGET holds a target's inputs; every
// target of this program runs with the empty input too. Ends with "N passed, N failed", where a target is
// one; a broken promise ends the program with the file's name.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/fuzz_target.h"

namespace {

namespace fs = std::filesystem;
using sallyport::fuzz::Target;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> inputs(const std::vector<std::string>& folders, const char* target) {
  std::vector<fs::path> all;
  for (const std::string& folder : folders) {
    const fs::path own = fs::path(folder) / target;
    if (!fs::is_directory(own)) continue;
    for (const auto& each : fs::directory_iterator(own)) all.push_back(each.path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// What runs now, should it be the last thing that runs.
std::string running;

extern "C" void say_which(int) {
  std::fprintf(stderr, "FAILED with %s\n", running.c_str());
  std::_Exit(1);
}

// Without inputs a target would pass untried.
bool replay(const Target& target, const std::vector<std::string>& folders) {
  running = std::string(target.name) + " and no input";
  target.run({});
  const auto files = inputs(folders, target.name);
  for (const fs::path& path : files) {
    running = path.string();
    target.run(contents(path));
  }
  std::printf("%-12s %5zu inputs\n", target.name, files.size());
  return !files.empty();
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> folders(values + 1, values + count);
  std::signal(SIGABRT, say_which);
  int passed = 0;
  int failed = 0;
  for (const Target& target : sallyport::fuzz::targets()) {
    ++(replay(target, folders) ? passed : failed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
