// The secret that JWTs are signed with, and its issuer.
#pragma once

#include <latchkey/latchkey.h>

#include <array>
#include <string>

#include "limits.h"

namespace latchkey::http {

// The bytes of a file, less one newline at its end. Wiped.
class JwtSecret {
 public:
  // Throws std::runtime_error that says which file and why, never what is in it.
  JwtSecret(const std::string& path, std::string issuer);
  ~JwtSecret();
  JwtSecret(const JwtSecret&) = delete;
  JwtSecret& operator=(const JwtSecret&) = delete;

  // Borrows from this object.
  latchkey_jwt_key key() const;
  // Why it should be replaced; empty when it is good. Such secrets are in use, so they are taken.
  std::string Weakness() const;

 private:
  std::array<char, limits::kJwtSecretBytesMax + 3> bytes_;  // a CRLF, and one to see too much
  size_t size_ = 0;
  bool others_can_read_ = false;
  std::string issuer_;
};

}  // namespace latchkey::http
