// What a sender offers and what a receiver wants: plain values, free of any I/O.
#pragma once

#include <optional>
#include <string>

#include "host/base/object_hash.hpp"
#include "host/base/timestamp.hpp"

namespace fragmend::transport::ssync {

/// One line of the missing check.
struct Offer {
    std::string object_hash;                ///< 32 hex digits.
    Timestamp data;                         ///< Of the data file or the tombstone.
    std::optional<Timestamp> meta;          ///< Set when a newer .meta applies.
    std::optional<Timestamp> content_type;  ///< Set when the .meta carries a newer content type.
    std::optional<bool> durable;            ///< Unset for tombstones.
};

/// What the receiver wants of one offer.
struct Wanted {
    ObjectHash object_hash;
    bool data = false;
    bool meta = false;
};

}  // namespace fragmend::transport::ssync
