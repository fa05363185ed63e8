// What the host says of itself.
#include <wire/wire.h>

#include "caller.h"
#include "operations.h"
#include "refusal.h"

namespace latchkey::http {

// openapi.json as it stands in the source; made by the build.
extern const char kOpenApi[];
extern const size_t kOpenApiSize;

// Public, and the same whatever the Authorization header holds: clients of the reference system ask
// for it first, with whatever credential they have.
Reply ShowVersion(Host* host, Request*) {
  nlohmann::ordered_json json;
  json["version"] = host->options().api_version;
  json["server"] = std::string("latchkey ") + latchkey_version();
  return JsonReply(200, json);
}

Reply ShowStats(Host* host, Request* request) {
  const Bearer bearer = ReadUserBearer(*request);
  RequireAdmin(Authenticate(host, request, bearer));
  return JsonReply(200, wire::StatsJson(host->store().stats()));
}

Reply ShowHealth(Host*, Request*) { return JsonReply(200, {{"status", "ok"}}); }

Reply ShowReadiness(Host* host, Request*) {
  if (host->Ready()) return JsonReply(200, {{"status", "ok"}});
  Reply reply = JsonReply(503, {{"status", "unavailable"}});
  reply.Add("Retry-After", "1");
  return reply;
}

Reply ShowOpenApi(Host*, Request*) {
  Reply reply(200, std::string(kOpenApi, kOpenApiSize));
  reply.Add("X-Total-Count", "1");
  return reply;
}

}  // namespace latchkey::http
