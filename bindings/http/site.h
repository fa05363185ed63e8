// From a request to its reply: finds the operation, turns what it throws into an error, adds the
// headers that every reply has, and accounts for it in the log and the metrics.
#pragma once

#include <cstdint>
#include <vector>

#include "host.h"
#include "operations.h"
#include "server.h"

namespace latchkey::http {

// The routes as logs and metrics call them, in the order of Routes().
std::vector<RouteName> RouteNames();

class Site : public Handler {
 public:
  // Borrows the host.
  explicit Site(Host* host);

  void Begin(Request* request) override;
  bool MayWait(const Request& request) const override;
  Reply Answer(Request* request) override;
  Reply Refuse(const Request& request, unsigned status) override;
  void Done(const Request& request, unsigned status, uint64_t bytes, int64_t duration_us) override;
  void ConnectionOpened() override { host_->metrics().ConnectionOpened(); }
  void ConnectionClosed() override { host_->metrics().ConnectionClosed(); }

 private:
  // A path of the table, with the routes that differ only in their method.
  struct Path {
    std::vector<std::string_view> segments;  // in braces = a parameter
    std::vector<size_t> routes;
    std::string methods;  // "GET, POST"
  };

  const Path* FindPath(const Target& target) const;
  Reply Dispatch(Request* request);
  void AddCommonHeaders(const Request& request, Reply* reply) const;

  Host* host_;
  std::vector<Path> paths_;
};

}  // namespace latchkey::http
