// Runs one coroutine on an io_context of the test's thread and hands back what it returned.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "host/base/async.hpp"

namespace fragmend::test {

template <typename T>
Awaitable<void> keep_result(Awaitable<T> work, std::optional<T>& result) {
    result.emplace(co_await std::move(work));
}

template <typename T>
T run_coroutine(asio::io_context& io, Awaitable<T> work) {
    std::optional<T> result;
    asio::co_spawn(io, keep_result(std::move(work), result), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    while (!result) {
        io.restart();
        io.run_one();
    }
    return std::move(*result);
}

}  // namespace fragmend::test
