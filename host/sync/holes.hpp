// Fragments that were missing at primaries that nobody was about to heal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/node.hpp"

namespace fragmend::sync {

/// Who answered 404, or sent what is damaged, for an object that can be rebuilt and of which it is
/// a primary. Its suffix hash may not know: Swift invalidates the suffix before it moves a damaged
/// fragment away, and whoever hashes in between keeps a hash of what is gone, equal to its
/// partners' for ever. Asking the node to distrust the suffix costs one line. A node that lacks
/// more than `suffixes_max` has lost a disk, which its hashes tell. Of one job; on the network
/// thread.
class Holes {
  public:
    static constexpr std::size_t suffixes_max = 64;

    void add(const Node& node, std::string_view object_hash) {
        auto& hole = by_device_[node.id];
        hole.node = node;
        hole.suffixes.emplace(object_hash.substr(object_hash.size() - 3));
    }

    struct Distrust {
        Node node;
        std::string suffixes;  ///< Joined with "-".
    };
    /// Whom to ask for what.
    std::vector<Distrust> asks() const {
        std::vector<Distrust> all;
        for (const auto& [id, hole] : by_device_) {
            if (hole.suffixes.size() > suffixes_max) continue;
            all.push_back({hole.node, {}});
            for (const std::string& suffix : hole.suffixes)
                all.back().suffixes += (all.back().suffixes.empty() ? "" : "-") + suffix;
        }
        return all;
    }

  private:
    struct Hole {
        Node node;
        std::set<std::string> suffixes;
    };
    std::map<std::uint32_t, Hole> by_device_;
};

}  // namespace fragmend::sync
