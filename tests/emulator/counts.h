// What was asked of the devices so far; read from Python by tests.emulator.counts().

#pragma once
#include <chrono>
#include <cstdint>

struct Counts {
    uint64_t launches, products, to_device, to_host, nanoseconds;
};

extern "C" Counts emulator_counts;

// While one of these lives, the time is the devices'.
struct Busy {
    const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    ~Busy() {
        emulator_counts.nanoseconds += std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
    }
};
