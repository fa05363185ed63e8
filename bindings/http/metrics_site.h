// What Prometheus scrapes, on a listener of its own: GET /metrics.
#pragma once

#include "host.h"
#include "server.h"

namespace latchkey::http {

class MetricsSite : public Handler {
 public:
  // Borrows the host.
  explicit MetricsSite(Host* host) : host_(host) {}

  void Begin(Request*) override {}
  bool MayWait(const Request&) const override { return false; }
  Reply Answer(Request* request) override;
  Reply Refuse(const Request&, unsigned status) override { return Reply(status, ""); }
  void Done(const Request&, unsigned, uint64_t, int64_t) override {}
  void ConnectionOpened() override {}
  void ConnectionClosed() override {}

 private:
  Host* host_;
};

}  // namespace latchkey::http
