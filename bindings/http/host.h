// What every operation works with: the store, and what the host knows besides.
#pragma once

#include <latchkey/latchkey.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "jwt_secret.h"
#include "log.h"
#include "metrics.h"
#include "options.h"
#include "remembered.h"
#include "throttle.h"

namespace latchkey::http {

class Host {
 public:
  // Borrows all three.
  Host(const Options* options, Log* log, Metrics* metrics);

  // Opens the store; until then requests are told to come again. Throws latchkey::Error.
  void Open(const latchkey_open_options& options);
  // Requests that come from now on are told to come again.
  void Drain() { draining_ = true; }
  // When no request is in it any more. Throws latchkey::Error.
  void Close();

  // Throws a Refusal (503) while the store is being opened.
  Store& store();
  bool draining() const { return draining_; }
  // Whether a verification would be answered at this moment.
  bool Ready() const;
  // nullopt while opening.
  std::optional<latchkey_stats> Stats() const;

  // Reads the JWT secret again, if there is one. Throws std::runtime_error, and then the old one
  // stays. Warns of a weak one.
  void LoadJwtSecret();
  // nullptr when the host has none.
  std::shared_ptr<const JwtSecret> jwt_secret() const;

  // Somebody presented what is none of ours. Throws a Refusal (429) when his address has done so
  // too often.
  void SpendGuess(const Address& client);

  const Options& options() const { return *options_; }
  const Log& log() const { return *log_; }
  Metrics& metrics() { return *metrics_; }
  Remembered& remembered() { return remembered_; }
  size_t throttled_addresses() const { return throttle_.Addresses(); }

 private:
  const Options* options_;
  Log* log_;
  Metrics* metrics_;
  GuessThrottle throttle_;
  Remembered remembered_;
  std::atomic<bool> opened_ = false;
  std::atomic<bool> draining_ = false;
  std::optional<Store> store_;  // there before opened_ is set, and until all requests are gone
  mutable std::mutex jwt_mutex_;
  std::shared_ptr<const JwtSecret> jwt_secret_;
};

}  // namespace latchkey::http
