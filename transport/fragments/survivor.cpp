// Reading one survivor.
#include "transport/fragments/survivor.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::transport::fragments {

Survivor::Survivor(http::Client& client, http::Opened opened, Node node, std::uint8_t index,
                   std::string announced_md5, std::uint64_t archive_bytes, TimeLimit read_limit)
    : client_(client),
      opened_(std::move(opened)),
      node_(std::move(node)),
      index_(index),
      announced_md5_(std::move(announced_md5)),
      name_(node_.replication_name()),
      left_(archive_bytes),
      read_limit_(std::move(read_limit)) {
    // It lasts as long as the object's rebuild, and the object's metadata may be long.
    opened_.head.forget_fields();
    opened_.connection.trim();
}

Awaitable<Result<std::size_t>> Survivor::read(ByteSpan into) {
    const auto wish = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    if (wish > 0) {
        auto got = co_await opened_.connection.read(into.first(wish),
                                                    Deadline::exception(read_limit_, "Timeout"));
        if (got.has_error()) co_return got.error();
        if (*got < wish) {
            opened_.connection.close();
            co_return Error{errc::disconnected, "a fragment archive that ended early"};
        }
        left_ -= wish;
    }
    if (left_ == 0 && !std::exchange(returned_, true)) {
        client_.finish(http::replication_peer(node_), std::move(opened_), 0);
    }
    co_return wish;
}

}  // namespace fragmend::transport::fragments
