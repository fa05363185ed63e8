// How an operation ends when it cannot do what it was asked. Thrown by whatever finds out, caught
// once, where the reply is made.
#pragma once

#include <latchkey/latchkey.hpp>

#include <exception>
#include <string>

namespace latchkey::http {

class Refusal : public std::exception {
 public:
  // `message` goes to the client: it holds nothing that he sent, and nothing of others.
  Refusal(unsigned status, std::string message, int64_t retry_after_s = 0)
      : status_(status), message_(std::move(message)), retry_after_s_(retry_after_s) {}

  unsigned status() const { return status_; }
  // 0 = the reply says nothing about when.
  int64_t retry_after_s() const { return retry_after_s_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  unsigned status_;
  std::string message_;
  int64_t retry_after_s_;
};

// What a code of the engine means to a client.
Refusal RefusalOf(const Error& error);

}  // namespace latchkey::http
