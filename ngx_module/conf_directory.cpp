// saml_idp_directory while nginx reads its configuration. A file that is no good is reported and left out: one organisation's
// mistake keeps nobody else's site from starting.
#include "aggregates.h"
#include "bridge.h"
#include "conf_finish.h"
#include "conf_message.h"
#include "directory_changes.h"
#include "idp_directory.h"

namespace sallyport::ngx {

bool load_idp_directory(ngx_conf_t* cf, MainConf& conf) {
  if (!conf.idp_directory.is_set()) {
    conf.aggregates.reset();
    return true;
  }
  IdpDirectory::Settings settings;
  settings.folder = *conf.idp_directory.value;
  settings.conf_prefix = std::string(view(cf->cycle->conf_prefix));
  if (conf.aggregates == nullptr) conf.aggregates = std::make_shared<Aggregates>();
  settings.context = {metadata_copies(conf), conf.aggregates};
  conf.directory = std::make_shared<IdpDirectory>(std::move(settings));
  conf.directory_changes = std::make_shared<DirectoryChanges>(conf);
  auto changes = conf.directory->look(IdpDirectory::Look::kAll);
  if (const std::string problem = conf.directory->take_problem(); !problem.empty()) {
    conf_error(cf, conf.idp_directory.origin, problem);
    return false;
  }
  share_owners();
  if (const auto owners = recall_owners(owners_file(conf))) conf.directory_changes->recall(*owners, *conf.directory);
  conf.directory_changes->add_all(std::move(changes), conf.directory->as_of());
  std::vector<std::string> done;
  while (conf.directory_changes->work(1000, done)) {
  }
  conf.aggregates->end_configuration();
  warn_of_unused_policies(cf, conf);
  return true;
}

}  // namespace sallyport::ngx
