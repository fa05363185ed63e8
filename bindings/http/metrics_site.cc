#include "metrics_site.h"

namespace latchkey::http {

Reply MetricsSite::Answer(Request* request) {
  const std::string_view path = request->raw_target.substr(0, request->raw_target.find('?'));
  if (path != "/metrics") return Reply(404, "Not Found: try /metrics\n");
  if (request->method != "GET" && request->method != "HEAD") {
    Reply reply(405, "Method Not Allowed\n");
    reply.Add("Allow", "GET, HEAD");
    return reply;
  }
  const std::optional<latchkey_stats> stats = host_->Stats();
  MetricsMoment moment;
  moment.stats = stats ? &*stats : nullptr;
  moment.ready = host_->Ready();
  moment.throttled_addresses = host_->throttled_addresses();
  Reply reply(200, host_->metrics().Render(moment));
  reply.Add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  reply.Add("Cache-Control", "no-store");
  return reply;
}

}  // namespace latchkey::http
