// Encoding and writing.
#include "host/demo/filling.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "host/codec/library.hpp"
#include "host/swift/disk_writer.hpp"
#include "host/swift/ondisk_names.hpp"

namespace fragmend::demo {
namespace {

/// One object's way to the disks.
class ObjectFill {
  public:
    ObjectFill(const Cluster& cluster, const codec::LibraryInstance& library,
               const SampleObject& object)
        : cluster_(cluster), library_(library), object_(object), content_(object.content_seed) {
        const auto digest = swift::hash_path(cluster.conf(), SampleObject::account(),
                                             object.container, object.name);
        const std::string hash = to_hex(digest);
        const std::uint32_t partition = cluster.ring()->partition_of(digest);
        below_device_ = "/" + cluster.policy().data_dir() + "/" + std::to_string(partition) + "/" +
                        hash.substr(29) + "/" + hash;
        nodes_ = cluster.ring()->primaries(partition);
    }

    Result<void> run() {
        auto done = write_archives();
        if (done.has_value() && object_.posted_at) done = write_everywhere(post());
        if (done.has_value() && object_.deleted_at) {
            done = write_everywhere(tombstone());
            report_.files = nodes_.size();  // Everything older is gone.
        }
        return done;
    }
    const FillReport& report() const { return report_; }

  private:
    struct Bodiless {
        swift::Metadata metadata;
        std::string name;
    };

    Result<swift::DiskWriter> open(const Node& node) const {
        swift::WriteOptions options;
        options.fsync = false;
        options.reserve.value = 0;
        const std::string device = cluster_.device_path(node.device);
        return swift::DiskWriter::open(
            cluster_.disk(),
            {device, device + below_device_, cluster_.policy().tmp_dir(), object_.path()}, options,
            std::nullopt);
    }

    /// The next bytes of the object.
    std::vector<std::byte> next_segment(std::size_t bytes) {
        std::vector<std::byte> segment(bytes);
        for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
            const std::uint64_t word = content_();
            std::memcpy(segment.data() + at, &word, std::min(sizeof word, bytes - at));
        }
        return segment;
    }

    Result<void> write_archives() {
        std::vector<swift::DiskWriter> writers;
        for (const Node& node : nodes_) {
            auto writer = open(node);
            if (writer.has_error()) return writer.error();
            writers.push_back(std::move(writer.value()));
        }
        Md5 etag;
        std::uint64_t left = object_.bytes;
        while (left > 0) {
            const auto segment = next_segment(static_cast<std::size_t>(
                std::min<std::uint64_t>(left, cluster_.policy().segment_bytes)));
            left -= segment.size();
            etag.update(segment);
            const auto fragments = library_.encode(segment);
            if (fragments.has_error()) return fragments.error();
            for (std::size_t i = 0; i < writers.size(); ++i) {
                auto done = writers[i].write((*fragments)[i]);
                if (done.has_error()) return done;
            }
        }
        const std::string object_etag = etag.finish_hex();
        for (std::size_t i = 0; i < writers.size(); ++i) {
            const int index = cluster_.policy().backend_index(i);
            report_.archive_bytes += writers[i].bytes_written();
            ++report_.files;
            auto done = writers[i].put(
                metadata(writers[i], index, object_etag),
                {.name = swift::data_file_name(object_.put_at, index, true), .replaces = {}});
            if (done.has_error()) return done;
        }
        return {};
    }

    /// In the order in which an object server has it.
    swift::Metadata metadata(swift::DiskWriter& writer, int index,
                             const std::string& object_etag) const {
        swift::Metadata items;
        items.set("X-Timestamp", object_.put_at.internal());
        items.set("Content-Type", object_.content_type);
        items.set("Content-Length", std::to_string(writer.bytes_written()));
        items.set("ETag", writer.finish_md5());
        if (object_.user_meta) items.set("X-Object-Meta-Color", *object_.user_meta);
        items.set("X-Object-Sysmeta-Ec-Etag", object_etag);
        items.set("X-Object-Sysmeta-Ec-Content-Length", std::to_string(object_.bytes));
        items.set("X-Object-Sysmeta-Ec-Frag-Index", std::to_string(index));
        items.set("X-Object-Sysmeta-Ec-Scheme", cluster_.policy().scheme_description());
        items.set("X-Object-Sysmeta-Ec-Segment-Size",
                  std::to_string(cluster_.policy().segment_bytes));
        return items;
    }

    Bodiless post() const {
        Bodiless file;
        file.metadata.set("X-Timestamp", object_.posted_at->internal());
        file.metadata.set("X-Object-Meta-Color", "posted");
        file.name = swift::meta_file_name(*object_.posted_at, std::nullopt);
        return file;
    }

    Bodiless tombstone() const {
        Bodiless file;
        file.metadata.set("X-Timestamp", object_.deleted_at->internal());
        file.name = swift::tombstone_file_name(*object_.deleted_at);
        return file;
    }

    Result<void> write_everywhere(const Bodiless& file) {
        for (const Node& node : nodes_) {
            auto writer = open(node);
            if (writer.has_error()) return writer.error();
            auto done = writer->put(file.metadata, {.name = file.name, .replaces = {}});
            if (done.has_error()) return done;
            ++report_.files;
        }
        return {};
    }

    const Cluster& cluster_;
    const codec::LibraryInstance& library_;
    const SampleObject& object_;
    std::mt19937_64 content_;
    std::string below_device_;  ///< The object's hash directory.
    std::vector<Node> nodes_;
    FillReport report_;
};

/// What the threads of one fill share.
class Fill {
  public:
    Fill(const Cluster& cluster, const codec::LibraryInstance& library,
         const std::vector<SampleObject>& objects, const std::atomic<bool>& stop,
         std::atomic<std::uint64_t>& written)
        : cluster_(cluster), library_(library), objects_(objects), stop_(stop), written_(written) {}

    Result<FillReport> run(unsigned threads) {
        std::vector<std::jthread> workers;
        for (unsigned i = 1; i < threads; ++i)
            workers.emplace_back([this] { work(); });
        work();
        workers.clear();
        if (failed_) return *failed_;
        if (stop_) return Error{errc::cancelled, "stopped while objects were written"};
        return report_;
    }

  private:
    void work() {
        for (;;) {
            const std::size_t number = next_++;
            if (number >= objects_.size() || stop_ || ended_) return;
            ObjectFill object(cluster_, library_, objects_[number]);
            auto done = object.run();
            const std::lock_guard lock(mutex_);
            if (done.has_error()) {
                failed_ = done.error();
                ended_ = true;
                return;
            }
            report_.files += object.report().files;
            report_.archive_bytes += object.report().archive_bytes;
            ++written_;
        }
    }

    const Cluster& cluster_;
    const codec::LibraryInstance& library_;
    const std::vector<SampleObject>& objects_;
    const std::atomic<bool>& stop_;
    std::atomic<std::uint64_t>& written_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> ended_{false};
    std::mutex mutex_;  ///< Guards what follows.
    FillReport report_;
    std::optional<Error> failed_;
};

}  // namespace

Result<FillReport> fill_cluster(const Cluster& cluster, const std::vector<SampleObject>& objects,
                                unsigned threads, const std::atomic<bool>& stop,
                                std::atomic<std::uint64_t>& written) {
    const auto library = codec::LibraryInstance::create(cluster.spec().scheme);
    if (library.has_error()) return library.error();
    return Fill(cluster, *library, objects, stop, written).run(std::max(1u, threads));
}

}  // namespace fragmend::demo
