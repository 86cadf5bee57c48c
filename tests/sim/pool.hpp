// Worker threads on virtual time: what is posted runs after a drawn delay.
#pragma once

#include <boost/asio/execution.hpp>
#include <memory>
#include <utility>

#include "tests/sim/network.hpp"

namespace fragmend::sim {

/// An executor of Asio's; `delay_max` may change while it is used. Outlived by `network`.
class SimPool {
  public:
    struct Speed {
        Duration delay_max = std::chrono::microseconds(300);
    };
    SimPool(asio::execution_context& context, Network& network, const Speed& speed)
        : context_(&context), network_(&network), speed_(&speed) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *context_; }
    static constexpr asio::execution::blocking_t::never_t query(
        asio::execution::blocking_t) noexcept {
        return {};
    }
    template <typename Work>
    void execute(Work work) const {
        auto shared = std::make_shared<Work>(std::move(work));
        const auto most = static_cast<std::uint64_t>(speed_->delay_max.count());
        network_->timeline.after(Duration(network_->dice.between(1000, most)),
                                 [shared] { (*shared)(); });
    }
    bool operator==(const SimPool& other) const noexcept { return speed_ == other.speed_; }
    bool operator!=(const SimPool& other) const noexcept { return speed_ != other.speed_; }

  private:
    asio::execution_context* context_;
    Network* network_;
    const Speed* speed_;
};

}  // namespace fragmend::sim
