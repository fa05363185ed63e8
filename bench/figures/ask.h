// The questions. Each is asked in a process of its own: latchkey_figures QUESTION --store DIR ...
#pragma once

#include <cstddef>
#include <string>

namespace latchkey_bench {

struct Arguments {
  std::string store;    // the folder of a store that AskBuild() made
  std::string scratch;  // an empty folder for what the peers store
  size_t population = 0;
  int rounds = 15;
};

void AskBuild(const Arguments& arguments);    // how fast is an import into an empty store?
void AskVerify(const Arguments& arguments);   // the floor, the engine and its peers
void AskEngine(const Arguments& arguments);   // batches, classes, threads, allocations, writers
void AskList(const Arguments& arguments);     // pages and searches
void AskOpen(const Arguments& arguments);     // open, also after kill -9
void AskWrite(const Arguments& arguments);    // durable changes
void AskContend(const Arguments& arguments);  // revoking during an import and a sweep; ends with
                                              // every key of the store revoked

}  // namespace latchkey_bench
