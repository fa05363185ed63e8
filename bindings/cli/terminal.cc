#include "terminal.h"

#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace latchkey::cli {
namespace {

constexpr int kFatalSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

// Reached from a signal handler, which cannot be given anything.
termios saved_terminal;

void RestoreAndDie(int signal_number) {
  tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void SetHandlers(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  for (int number : kFatalSignals) sigaction(number, &action, nullptr);
}

}  // namespace

bool IsInputTerminal() { return isatty(STDIN_FILENO) == 1; }

bool IsErrorTerminal() { return isatty(STDERR_FILENO) == 1; }

void RequireTerminalOrYes(const Globals& globals) {
  if (globals.yes || IsInputTerminal()) return;
  RefuseUsage("this cannot be undone", "without a terminal to ask on it needs --yes",
              "Nothing was changed. Repeat it with --yes, or set LATCHKEY_YES=1.");
}

void Confirm(const Globals& globals, const std::string& question) {
  if (globals.yes) return;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::fflush(stderr);
  char answer[16] = "";
  if (std::fgets(answer, sizeof answer, stdin) == nullptr) answer[0] = '\0';
  answer[std::strcspn(answer, "\r\n")] = '\0';
  for (const char* yes : {"y", "Y", "yes", "Yes", "YES"}) {
    if (std::strcmp(answer, yes) == 0) return;
  }
  throw Refusal(kRefused, "the answer was not yes", "nothing was changed");
}

EchoOff::EchoOff() {
  if (!IsInputTerminal() || tcgetattr(STDIN_FILENO, &saved_terminal) != 0) return;
  SetHandlers(RestoreAndDie);
  termios silent = saved_terminal;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  silent.c_lflag |=
      ECHONL;  // the Enter that ends the secret shows, so that the answer starts a line
  if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
    SetHandlers(SIG_DFL);
    throw Refusal(kFailure, "this terminal", "it cannot be told to keep a secret off the screen",
                  "Pipe the secret into latchkey verify instead.");
  }
  active_ = true;
}

EchoOff::~EchoOff() {
  if (!active_) return;
  tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
  SetHandlers(SIG_DFL);
}

}  // namespace latchkey::cli
