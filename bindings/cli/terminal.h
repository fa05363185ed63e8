// A person at a terminal: asked before something is destroyed, and typing a secret that must not
// appear.
#pragma once

#include <string>

#include "store.h"

namespace latchkey::cli {

bool IsInputTerminal();
bool IsErrorTerminal();

// Revoking and deleting are final. Without a terminal to ask on they need --yes: throws a usage
// Refusal otherwise. To be called before the store is opened.
void RequireTerminalOrYes(const Globals& globals);

// Asks `question` unless --yes was given; throws a Refusal unless the answer is yes.
void Confirm(const Globals& globals, const std::string& question);

// While it lives, what is typed is not shown. Restored also when a signal ends the process. Does
// nothing when standard input is not a terminal. One at a time.
class EchoOff {
 public:
  EchoOff();
  ~EchoOff();
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  bool active_ = false;
};

}  // namespace latchkey::cli
