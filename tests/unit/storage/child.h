// Runs one test of this program, a DISABLED_ one, as a process of its own. (A plain fork would take
// over RocksDB's state without its threads.)
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace latchkey::test {

inline constexpr char kChildFolder[] = "LATCHKEY_TEST_CHILD_FOLDER";
inline constexpr char kChildPipe[] = "LATCHKEY_TEST_CHILD_PIPE";

class Child {
 public:
  Child(const std::string& test, const std::string& folder) {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      close(pipe_fds[0]);
      setenv(kChildFolder, folder.c_str(), 1);
      setenv(kChildPipe, std::to_string(pipe_fds[1]).c_str(), 1);
      const std::string filter = "--gtest_filter=" + test;
      execl("/proc/self/exe", "child", filter.c_str(), "--gtest_also_run_disabled_tests",
            "--gtest_brief=1", nullptr);
      _exit(127);
    }
    close(pipe_fds[1]);
    pipe_ = pipe_fds[0];
  }
  ~Child() {
    Kill();
    close(pipe_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next number that the child told; false when it has ended.
  bool Hear(int* number) { return read(pipe_, number, sizeof *number) == sizeof *number; }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

// In the child: tells its parent a number.
inline bool Tell(int number) {
  const char* fd = getenv(kChildPipe);
  return fd != nullptr && write(atoi(fd), &number, sizeof number) == sizeof number;
}

}  // namespace latchkey::test
