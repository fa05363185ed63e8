#include "host.h"

#include "deadlines.h"
#include "refusal.h"

namespace latchkey::http {

Host::Host(const Options* options, Log* log, Metrics* metrics)
    : options_(options),
      log_(log),
      metrics_(metrics),
      throttle_(options->guess_burst, options->guess_rate_per_s) {}

void Host::Open(const latchkey_open_options& options) {
  store_.emplace(Store::open(options));
  opened_ = true;
}

void Host::Close() {
  if (!store_) return;
  store_->close();
  store_.reset();
}

Store& Host::store() {
  if (!opened_) throw Refusal(503, "The store is being opened, please retry.", 1);
  return *store_;
}

bool Host::Ready() const {
  if (!opened_ || draining_) return false;
  // While the store mends itself after a failed write, or is being loaded, it verifies. One that
  // was found damaged answers nothing but its stats any more.
  auto kind = sized<latchkey_kind>();
  return latchkey_kind_get(store_->handle(), LATCHKEY_KIND_USER_KEY, &kind) == LATCHKEY_OK;
}

std::optional<latchkey_stats> Host::Stats() const {
  if (!opened_) return std::nullopt;
  auto stats = sized<latchkey_stats>();
  if (latchkey_store_stats(store_->handle(), &stats) != LATCHKEY_OK) return std::nullopt;
  return stats;
}

void Host::LoadJwtSecret() {
  if (options_->jwt_secret_path.empty()) return;
  auto loaded = std::make_shared<const JwtSecret>(options_->jwt_secret_path, options_->issuer);
  const std::string weakness = loaded->Weakness();
  if (!weakness.empty()) log_->Say(Log::Level::kWarning, weakness);
  const std::lock_guard lock(jwt_mutex_);
  jwt_secret_ = std::move(loaded);
}

std::shared_ptr<const JwtSecret> Host::jwt_secret() const {
  const std::lock_guard lock(jwt_mutex_);
  return jwt_secret_;
}

void Host::SpendGuess(const Address& client) {
  const GuessThrottle::Answer answer = throttle_.Spend(client, SteadyMs());
  if (answer.allowed) return;
  metrics_->CountThrottledGuess();
  throw Refusal(429, "Too many failed guesses from this address. Try again later.",
                answer.retry_after_s);
}

}  // namespace latchkey::http
