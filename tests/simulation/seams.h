// What a seed decides besides the calls themselves: libc's calls for randomness, for the monotonic
// clock and for waiting stand in the test program, before libc's own (seams.cc). The library knows
// nothing of it.
#pragma once

#include <cstdint>
#include <functional>

namespace latchkey_test {

// ---- Threads. Those of a simulation, and the background of its stores, are part of it; RocksDB's,
// and one that loads a store behind its open, are not.
void JoinSimulation();  // the calling thread
bool IsInSimulation();

// ---- Randomness: getrandom() hands out a stream of this seed; without one, the system's.
void SeedRandomness(uint64_t seed);
void UnseedRandomness();

// ---- CLOCK_BOOTTIME, from which the engine tells a clock that was set from time that passed.
void SetBootTimeMs(int64_t ms);
int64_t BootTimeMs();

// ---- The background of a store, which looks around once a second: it stands until it is told.
void HoldBackground();     // of the store that is opened next
void AwaitBackground();    // until it stands: it may have tombstones to write first
void RunBackgroundOnce();  // returns when it stands again; throws when there is none
void ReleaseBackground();  // before its store is closed; ends the holding
void StopHolding();

// ---- Standing in the commit queue. Called in the waiting thread, just before it sleeps.
void OnQueued(std::function<void()> told);

}  // namespace latchkey_test
