// The cluster in memory.
#include "fakes.hpp"

#include <cstdlib>

namespace fragmend::scheduler::testing {
namespace {

constexpr std::uint32_t magic = 0x0b0c5ecc;

void put_32(std::byte* at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i)
        at[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint32_t get_32(const std::byte* at) {
    std::uint32_t value = 0;
    for (int i = 4; i-- > 0;)
        value = value << 8 | std::to_integer<std::uint32_t>(at[i]);
    return value;
}

void put_header(std::byte* at, std::uint8_t index, std::size_t piece_bytes) {
    std::fill(at, at + fragment_header_bytes, std::byte{0});
    put_32(at, index);
    put_32(at + 4, static_cast<std::uint32_t>(piece_bytes - fragment_header_bytes));
    put_32(at + 59, magic);
}

std::byte mask(std::uint8_t index) {
    return static_cast<std::byte>(index * 37 + 11);
}

class FakeDigests final : public SurvivorDigests {
  public:
    explicit FakeDigests(std::size_t count) : md5s(count) {}
    Md5Digest finish(std::size_t position) override { return md5s.at(position).finish(); }
    std::vector<Md5> md5s;
    std::atomic<int> users = 0;
};

class FakeStream final : public SurvivorStream {
  public:
    FakeStream(FakeSource& source, asio::any_io_executor executor, std::uint8_t index, Bytes bytes,
               Fault fault)
        : source_(source),
          executor_(std::move(executor)),
          index_(index),
          bytes_(std::move(bytes)),
          fault_(fault),
          name_("10.0.0." + std::to_string(index) + ":6200/sdb") {
        ++source_.streams_open;
        Md5 md5;
        md5.update(bytes_);
        md5_ = md5.finish_hex();
        const auto at = static_cast<std::size_t>(fault.at);
        switch (fault.kind) {
            case Fault::Kind::flipped_byte:
                bytes_.at(at) ^= std::byte{1};
                break;
            case Fault::Kind::bad_header:
                bytes_.at(at) ^= std::byte{1};
                break;
            case Fault::Kind::wrong_size:
                put_32(bytes_.data() + 4, 1);
                break;
            case Fault::Kind::short_body:
                bytes_.resize(at);
                break;
            case Fault::Kind::long_body:
                bytes_.push_back(std::byte{0});
                break;
            case Fault::Kind::no_md5:
                md5_ = "\"" + md5_ + "\"";
                break;
            default:
                break;
        }
    }
    ~FakeStream() override {
        EXPECT_FALSE(reading_) << "destroyed in the middle of a read";
        --source_.streams_open;
    }
    std::uint8_t index() const override { return index_; }
    const std::string& announced_md5() const override { return md5_; }
    const std::string& name() const override { return name_; }
    std::uint32_t device_id() const override { return 100u + index_; }

    Awaitable<Result<std::size_t>> read(ByteSpan into) override {
        EXPECT_FALSE(reading_);
        reading_ = true;
        const auto turns =
            source_.turns_max == 0
                ? 0
                : static_cast<int>(source_.random() % static_cast<unsigned>(source_.turns_max + 1));
        for (int turn = 0; turn < turns; ++turn)
            co_await yield(executor_);
        const std::size_t count = std::min(into.size(), bytes_.size() - position_);
        std::optional<Error> error;
        const bool reached = position_ + count > fault_.at;
        if (fault_.kind == Fault::Kind::hangs && reached) {
            const auto hurried = co_await asio::this_coro::cancellation_state;
            Signal never(executor_);
            if (hurried.cancelled() == asio::cancellation_type::none) co_await never.wait();
            error = Error{errc::cancelled, "hurried"};
        }
        if (fault_.kind == Fault::Kind::read_error && reached) {
            error = Error{errc::disconnected, "the peer closed"};
        }
        reading_ = false;
        if (error) co_return *error;
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(position_), count, into.begin());
        position_ += count;
        co_return count;
    }

  private:
    FakeSource& source_;
    asio::any_io_executor executor_;
    std::uint8_t index_;
    Bytes bytes_;
    Fault fault_;
    std::string name_;
    std::string md5_;
    std::size_t position_ = 0;
    bool reading_ = false;
};

}  // namespace

std::uint64_t test_seed() {
    const char* text = std::getenv("FRAGMEND_SEED");
    return text == nullptr ? 20261 : std::strtoull(text, nullptr, 10);
}

Awaitable<void> yield(asio::any_io_executor executor) {
    co_await asio::post(executor, asio::use_awaitable);
}

std::size_t LineSink::count(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const auto& line : lines_)
        found += line.find(part) != std::string::npos;
    return found;
}

std::string LineSink::all() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& line : lines_)
        text += line + "\n";
    return text;
}

Bytes make_archive(std::uint64_t seed, std::uint8_t index, std::uint64_t archive_bytes,
                   std::size_t piece_bytes) {
    Bytes archive(static_cast<std::size_t>(archive_bytes));
    std::mt19937_64 random(seed);
    for (std::size_t start = 0; start < archive.size(); start += piece_bytes) {
        const std::size_t bytes = std::min(piece_bytes, archive.size() - start);
        put_header(archive.data() + start, index, bytes);
        for (std::size_t i = fragment_header_bytes; i < bytes; ++i) {
            archive[start + i] = static_cast<std::byte>(random()) ^ mask(index);
        }
    }
    return archive;
}

Awaitable<Result<std::vector<std::unique_ptr<SurvivorStream>>>> FakeSource::open(
    const RebuildRequest& request, const std::vector<std::uint32_t>& left_out) {
    if (on_open) on_open();
    for (int turn = 0; turn < turns_max; ++turn)
        co_await yield(executor_);
    FakeObject& object = objects.at(request.object_path);
    const std::uint64_t flavour = object.opens++ > 0 ? object.flavour_of_retries : 0;
    std::vector<std::unique_ptr<SurvivorStream>> streams;
    for (int i = 0; i < request.scheme.n() && static_cast<int>(streams.size()) < request.scheme.k;
         ++i) {
        const auto index = static_cast<std::uint8_t>(i);
        const std::uint32_t device = 100u + index;
        if (request.wants(index) || object.absent.contains(index)) continue;
        if (std::ranges::find(left_out, device) != left_out.end()) continue;
        Fault fault;
        if (auto found = object.faults.find(index); found != object.faults.end()) {
            if (found->second.kind == Fault::Kind::open_fails) continue;
            if (found->second.times-- > 0) fault = found->second;
        }
        streams.push_back(std::make_unique<FakeStream>(
            *this, executor_, index,
            make_archive(object.seed + flavour, index, request.archive_bytes, object.piece_bytes),
            fault));
    }
    if (static_cast<int>(streams.size()) < request.scheme.k) {
        co_return Error{errc::too_few_fragments, "not enough"};
    }
    co_return std::move(streams);
}

std::size_t FakeCodec::fragment_bytes(const EcScheme& scheme, std::size_t segment_bytes) {
    const auto k = static_cast<std::size_t>(scheme.k);
    return fragment_header_bytes + (segment_bytes + k - 1) / k;
}

std::optional<std::size_t> FakeCodec::announced_bytes(ByteView header) {
    if (get_32(header.data() + 59) != magic) return std::nullopt;
    return fragment_header_bytes + get_32(header.data() + 4);
}

std::optional<std::vector<std::uint8_t>> FakeCodec::choose_survivors(
    const EcScheme& scheme, std::span<const std::uint8_t> available, std::uint8_t) {
    if (available.size() < static_cast<std::size_t>(scheme.k)) return std::nullopt;
    return std::vector<std::uint8_t>(available.begin(), available.begin() + scheme.k);
}

Result<std::shared_ptr<const DecodePlan>> FakeCodec::plan(const EcScheme& scheme,
                                                          std::span<const std::uint8_t> survivors,
                                                          std::span<const std::uint8_t> wanted) {
    return std::make_shared<const DecodePlan>(
        scheme, std::vector<std::uint8_t>(survivors.begin(), survivors.end()),
        std::vector<std::uint8_t>(wanted.begin(), wanted.end()));
}

std::unique_ptr<SurvivorDigests> FakeCodec::digests(std::size_t survivor_count) {
    return std::make_unique<FakeDigests>(survivor_count);
}

void FakeCodec::run(std::span<SegmentWork*> batch) {
    ++runs;
    for (SegmentWork* work : batch) {
        ++items;
        auto* digests = dynamic_cast<FakeDigests*>(work->digests);
        if (digests != nullptr) {
            EXPECT_EQ(digests->users++, 0) << "two rounds of one object at the same time";
        }
        const auto& indexes = work->plan->survivors();
        EXPECT_EQ(work->survivors.size(), indexes.size());
        EXPECT_EQ(work->outputs.size(), work->plan->wanted().size());
        Bytes sum(work->fragment_bytes());
        for (std::size_t j = 0; j < indexes.size(); ++j) {
            const ByteView in = work->survivors[j];
            const auto payload =
                reinterpret_cast<std::uintptr_t>(in.data() + fragment_header_bytes);
            EXPECT_TRUE(!slots_are_aligned || payload % 64 == 0);
            EXPECT_EQ(in.size(), sum.size());
            if (get_32(in.data()) != indexes[j] || get_32(in.data() + 59) != magic ||
                get_32(in.data() + 4) != in.size() - fragment_header_bytes) {
                work->error = Error{errc::bad_fragment, "fragment header"};
                work->culprit = static_cast<int>(j);
                break;
            }
            if (digests != nullptr) digests->md5s[j].update(in);
            for (std::size_t i = fragment_header_bytes; i < in.size(); ++i) {
                sum[i] ^= in[i] ^ mask(indexes[j]);
            }
        }
        for (std::size_t o = 0; o < work->outputs.size(); ++o) {
            const std::uint8_t wanted = work->plan->wanted()[o];
            const ByteSpan output = work->outputs[o];
            EXPECT_EQ(output.size(), sum.size());
            for (std::size_t i = fragment_header_bytes; i < output.size(); ++i) {
                output[i] = sum[i] ^ mask(wanted);
            }
            put_header(output.data(), wanted, output.size());
        }
        if (sabotage) sabotage(*work);
        if (digests != nullptr) --digests->users;
    }
}

World::World(std::size_t budget_bytes, DispatcherLimits dispatcher_limits,
             std::optional<asio::any_io_executor> pool, std::size_t idle_bytes)
    : buffers(slabs, idle_bytes),
      budget(io.get_executor(), budget_bytes),
      dispatcher(io.get_executor(), pool.value_or(io.get_executor()), codec, dispatcher_limits),
      source(io.get_executor()),
      tasks(io.get_executor()) {}

World::~World() {
    EXPECT_EQ(source.streams_open, 0);
    EXPECT_EQ(budget.in_use_bytes(), 0u);
    EXPECT_EQ(buffers.leased_bytes(), 0u);
    EXPECT_EQ(tasks.running(), 0u);
}

RebuildPorts World::ports() {
    return {io.get_executor(),
            source,
            codec,
            dispatcher,
            budget,
            buffers,
            clock,
            stats,
            Logger(&sink, LogLevel::debug)};
}

RebuildRequest World::add(const std::string& path, FakeObject object, std::uint64_t archive_bytes,
                          std::uint8_t wanted, EcScheme scheme) {
    RebuildRequest request;
    request.scheme = std::move(scheme);
    request.policy_index = 1;
    request.partition = "7";
    request.object_path = path;
    request.archive_bytes = archive_bytes;
    request.fragment_bytes = object.piece_bytes;
    request.wanted = wanted;
    source.objects[path] = std::move(object);
    return request;
}

Bytes World::truth(const RebuildRequest& request) const {
    const FakeObject& object = source.objects.at(request.object_path);
    return make_archive(object.seed, request.wanted, request.archive_bytes, object.piece_bytes);
}

bool World::step() {
    io.restart();
    const bool worked = io.poll_one() > 0;
    EXPECT_LE(buffers.leased_bytes() + buffers.claimed_bytes(), budget.in_use_bytes());
    EXPECT_LE(budget.in_use_bytes(), budget.capacity_bytes());
    return worked;
}

void World::run_until_idle() {
    while (step()) {
    }
}

Awaitable<void> receive(ObjectRebuild& rebuild, Received& received, int turns) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    Result<void> ready = co_await rebuild.ready();
    received.ready = ready.has_value();
    if (ready.has_error()) received.error = ready.error();
    while (!received.error && !received.ended) {
        Result<ByteView> piece = co_await rebuild.next();
        if (piece.has_error()) {
            received.error = piece.error();
        } else if (piece.value().empty()) {
            received.ended = true;
        } else {
            for (int turn = 0; turn < turns; ++turn)
                co_await yield(executor);
            received.bytes.insert(received.bytes.end(), piece.value().begin(), piece.value().end());
        }
    }
    co_await rebuild.stop();
}

}  // namespace fragmend::scheduler::testing
