// latchkey_figures: asks one question of a store, and answers with one line of JSON a series.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "figures/ask.h"

namespace {

struct Question {
  const char* name;
  void (*ask)(const latchkey_bench::Arguments&);
};

constexpr Question kQuestions[] = {
    {"build", latchkey_bench::AskBuild},     {"verify", latchkey_bench::AskVerify},
    {"engine", latchkey_bench::AskEngine},   {"list", latchkey_bench::AskList},
    {"open", latchkey_bench::AskOpen},       {"write", latchkey_bench::AskWrite},
    {"contend", latchkey_bench::AskContend},
};

int Usage() {
  std::fprintf(stderr,
               "usage: latchkey_figures QUESTION STORE SCRATCH POPULATION [ROUNDS]\n"
               "questions: build verify engine list open write contend\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return Usage();
  latchkey_bench::Arguments arguments;
  arguments.store = argv[2];
  arguments.scratch = argv[3];
  arguments.population = std::strtoul(argv[4], nullptr, 10);
  if (argc > 5) arguments.rounds = std::atoi(argv[5]);
  if (arguments.population < 1000 || arguments.rounds < 4) return Usage();
  for (const Question& question : kQuestions) {
    if (std::strcmp(question.name, argv[1]) != 0) continue;
    question.ask(arguments);
    return 0;
  }
  return Usage();
}
