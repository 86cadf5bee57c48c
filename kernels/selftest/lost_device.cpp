// An illegal address, and what follows.
#include "kernels/selftest/lost_device.hpp"

#include <cstdio>
#include <string>

#include "kernels/selftest/md5_cases.hpp"

namespace fragmend::selftest {
namespace {

using kernels::Status;
using kernels::StatusCode;

constexpr std::uint32_t lost_wait_limit_ms = 10'000;

void say(const char* what, const Status& status) {
    std::printf("%s: %s %s\n", what, kernels::name(status.code), status.detail);
}

Status read_nothing(kernels::Engine& engine) {
    gf::Matrix one(gf::Field::gf2, 1, 1);
    one.at(0, 0) = 1;
    const auto rows = kernels::Rows::make(one).value();
    std::uint8_t* const out = engine.allocate_pinned(16);
    if (out == nullptr) return {StatusCode::out_of_memory, 0, "page-locked memory"};
    const std::uint8_t* const nowhere[] = {
        reinterpret_cast<const std::uint8_t*>(std::uintptr_t{16})};
    std::uint8_t* const outputs[] = {out};
    kernels::Item item;
    item.rows = &rows;
    item.sources = nowhere;
    item.outputs = outputs;
    item.bytes = 16;
    kernels::Ticket ticket;
    Status status = engine.submit(std::span(&item, 1), kernels::Memory::mapped, ticket);
    if (status.ok()) status = engine.wait(ticket, lost_wait_limit_ms);
    engine.free_pinned(out);
    return status;
}

}  // namespace

void run_lost_device(const MakeEngine& make, Tally& tally) {
    for (int turn = 0; turn < 2; ++turn) {
        std::unique_ptr<kernels::Engine> engine;
        const Status made = make(engine);
        say(turn == 0 ? "an engine" : "an engine after the loss", made);
        // A context may stay dead until the process ends; then it is said cleanly.
        const bool is_dead = turn == 1 && made.code == StatusCode::no_device;
        tally.count(made.ok() || is_dead, "an engine");
        if (!made.ok()) return;
        run_md5_cases(*engine, tally);
        const Status status = read_nothing(*engine);
        say("a kernel that reads where nothing is", status);
        tally.count(status.code == StatusCode::device_lost, "the loss is noticed");
    }
}

}  // namespace fragmend::selftest
