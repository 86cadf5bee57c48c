// The sender's port with a script behind it: offers, sub-requests, bodies that end as told.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/ssync/ports.hpp"

namespace fragmend::transport::ssync {

inline const std::string hash_a(32, 'a');
inline const std::string hash_b(32, 'b');

/// Gives its pieces, then the end or an error.
class ScriptedBody final : public BodyStream {
  public:
    ScriptedBody(std::vector<std::string> pieces, std::optional<Error> error = {})
        : pieces_(std::move(pieces)), error_(std::move(error)) {}
    Awaitable<Result<ByteView>> next() override {
        if (at_ < pieces_.size()) co_return as_bytes_view(pieces_[at_++]);
        if (error_) co_return *error_;
        co_return ByteView();
    }

  private:
    std::vector<std::string> pieces_;
    std::optional<Error> error_;
    std::size_t at_ = 0;
};

inline SubRequest put(std::uint64_t length, std::vector<std::string> pieces,
                      std::optional<Error> error = {}) {
    SubRequest request;
    request.method = "PUT";
    request.path = "/a/c/o";
    request.headers = {{"X-Timestamp", "1.00000"}};
    request.content_length = length;
    request.body = std::make_unique<ScriptedBody>(std::move(pieces), std::move(error));
    return request;
}

inline SubRequest bodiless(std::string method) {
    SubRequest request;
    request.method = std::move(method);
    request.path = "/a/c/o";
    request.headers = {{"X-Timestamp", "2.00000"}};
    return request;
}

class ScriptedObjects final : public SessionObjects {
  public:
    explicit ScriptedObjects(asio::io_context& io) : blocked(io) {}

    Awaitable<Result<void>> begin(bool accepts) override {
        accepts_non_durable = accepts;
        co_return Result<void>();
    }
    Awaitable<Result<std::optional<Offer>>> next_offer() override {
        if (offered == offers) co_return std::optional<Offer>();
        ++offered;
        Offer offer;
        offer.object_hash = offered % 2 == 1 ? hash_a : hash_b;
        offer.data = {179533304319771, 0};
        co_return std::optional<Offer>(std::move(offer));
    }
    Awaitable<Result<void>> wanted(std::vector<Wanted> objects) override {
        asked_for = std::move(objects);
        co_return Result<void>();
    }
    Awaitable<Result<std::vector<SubRequest>>> next_sub_requests() override {
        if (block_at == served) {
            boost::system::error_code ignored;
            blocked.expires_at(asio::steady_timer::time_point::max());
            if (on_block) on_block();
            co_await blocked.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        if (served == requests.size()) co_return std::vector<SubRequest>();
        co_return std::move(requests[served++]);
    }
    void cancel() override {
        ++cancels;
        blocked.cancel();
    }

    void serve(SubRequest first) {
        std::vector<SubRequest> list;
        list.push_back(std::move(first));
        requests.push_back(std::move(list));
    }
    void serve(SubRequest first, SubRequest second) {
        serve(std::move(first));
        requests.back().push_back(std::move(second));
    }

    std::size_t offers = 2;
    std::size_t offered = 0;
    std::vector<std::vector<SubRequest>> requests;
    std::size_t served = 0;
    std::optional<std::size_t> block_at;
    std::function<void()> on_block;
    asio::steady_timer blocked;
    std::optional<bool> accepts_non_durable;
    std::vector<Wanted> asked_for;
    int cancels = 0;
};

}  // namespace fragmend::transport::ssync
