// The stages of one attempt and what each of them checks.
#include "scheduler/attempt.hpp"

#include <algorithm>
#include <utility>

namespace fragmend::scheduler {
namespace {

/// Pieces up to this size are read from one survivor after the other: they fit into what the
/// sockets buffer, so all of them travel at the same time anyway, and no reader has to be started.
constexpr std::size_t read_in_turn_bytes_max = 32768;

}  // namespace

RebuildAttempt::RebuildAttempt(RebuildState& state)
    : state_(state), readers_(state.ports.executor), decoder_(state.ports.executor) {}

Awaitable<RebuildAttempt::End> RebuildAttempt::run() {
    for (RebuildOutput& output : state_.outputs)
        output.window.begin_attempt();
    co_await gather();
    co_await decoder_.join();
    if (good()) verify();
    if (state_.stopping) fail({errc::cancelled, "stopped"});
    if (ended_ == End::failed) co_return End::failed;
    if (!culprits_.empty()) co_return End::again;
    co_return ended_.value_or(End::verified);
}

void RebuildAttempt::hurry() {
    for (Survivor& survivor : survivors_)
        survivor.hurry.emit(asio::cancellation_type::terminal);
    hurry_decode_.emit(asio::cancellation_type::terminal);
}

Awaitable<void> RebuildAttempt::gather() {
    co_await open();
    if (!good()) co_return;
    co_await read_headers();
    if (!good()) co_return;
    settle_piece();
    if (good()) make_plan();
    if (!good()) co_return;
    for (std::uint64_t round = 0; round < state_.shape->rounds; ++round) {
        if (state_.shape->input_sets == 1) {
            co_await wait_for_decode();
            if (!good()) co_return;
        }
        co_await read_round(round);
        if (!good()) co_return;
        co_await wait_for_decode();
        if (!good()) co_return;
        Slots slots = co_await wait_for_slots();
        if (slots.empty()) co_return;
        decoder_.spawn(decode_round(round, std::move(slots)), hurry_decode_.slot());
    }
    co_await wait_for_decode();
}

Awaitable<void> RebuildAttempt::open() {
    const RebuildRequest& request = state_.request;
    Result<std::vector<std::unique_ptr<SurvivorStream>>> opened =
        Error{errc::cancelled, "not opened"};
    {
        const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_for_open);
        opened = co_await state_.ports.source.open(request, state_.left_out);
    }
    if (opened.has_error()) co_return fail(opened.error());
    // In any order they are the same set: sorted, one plan serves them all.
    std::ranges::sort(opened.value(), {}, [](const auto& stream) { return stream->index(); });
    std::vector<bool> seen(static_cast<std::size_t>(request.scheme.n()), false);
    for (auto& stream : opened.value()) {
        const std::size_t index = stream->index();
        if (index >= seen.size() || seen[index] || request.wants(index)) {
            co_return fail({errc::internal, "the survivors' indexes are not a set of others"});
        }
        seen[index] = true;
        survivors_.emplace_back().stream = std::move(stream);
    }
    if (survivors_.empty() || survivors_.size() > survivors_max(request.scheme)) {
        co_return fail(
            {errc::internal, std::to_string(survivors_.size()) + " survivors were opened"});
    }
    for (std::size_t position = 0; position < survivors_.size(); ++position) {
        if (is_lower_hex(survivors_[position].stream->announced_md5(), 32)) continue;
        blame(position, {errc::protocol, "its server announced no MD5"});
    }
}

Awaitable<void> RebuildAttempt::read_headers() {
    headers_.resize(survivors_.size());
    for (std::size_t i = 0; i < survivors_.size(); ++i)
        survivors_[i].into = headers_[i];
    co_await read_all();
    if (!good()) co_return;
    for (std::size_t position = 0; position < survivors_.size(); ++position) {
        const std::size_t got = survivors_[position].got.value();
        if (got == fragment_header_bytes) continue;
        blame(position,
              {errc::bad_fragment, "its archive ends after " + std::to_string(got) + " of " +
                                       std::to_string(state_.request.archive_bytes) + " bytes"});
    }
}

void RebuildAttempt::settle_piece() {
    const std::uint64_t archive_bytes = state_.request.archive_bytes;
    const std::size_t expected = static_cast<std::size_t>(
        state_.shape ? state_.shape->piece_bytes
                     : std::min<std::uint64_t>(state_.request.fragment_bytes, archive_bytes));
    const bool known =
        state_.request.fragment_bytes_known || state_.outputs.front().window.rounds_released() > 0;
    std::vector<std::optional<std::size_t>> announced;
    for (const FragmentHeader& header : headers_)
        announced.push_back(state_.ports.codec.announced_bytes(header));
    const PieceChoice choice = choose_piece(expected, known, archive_bytes, announced);
    for (std::size_t position : choice.outvoted) {
        blame(position, {errc::bad_fragment,
                         "its first header is damaged, or announces another piece "
                         "length than the other survivors"});
    }
    if (!good()) return;
    if (!pieces_fit(archive_bytes, choice.piece_bytes)) {
        return fail({errc::bad_fragment, "an archive of " + std::to_string(archive_bytes) +
                                             " bytes cannot consist of pieces of " +
                                             std::to_string(choice.piece_bytes)});
    }
    if (state_.shape && state_.shape->piece_bytes == choice.piece_bytes) return;
    if (state_.outputs.front().window.rounds_released() > 0) {
        return fail(
            {errc::wrong_bytes, "pieces of " + std::to_string(expected) +
                                    " bytes were sent and the survivors now have pieces of " +
                                    std::to_string(choice.piece_bytes)});
    }
    lay_out(choice.piece_bytes);
}

void RebuildAttempt::lay_out(std::size_t piece_bytes) {
    const auto shape = fit_shape(state_.request.scheme, state_.request.archive_bytes, piece_bytes,
                                 state_.limits, state_.share_bytes, state_.outputs.size());
    if (shape.has_error()) {
        larger_piece_bytes_ = piece_bytes;
        return end_with(End::larger_piece, shape.error());
    }
    state_.inputs.release();
    for (RebuildOutput& output : state_.outputs)
        output.window.release_memory();
    state_.shape = shape.value();
    state_.inputs = state_.ports.buffers.lease(shape.value().input_bytes());
    for (std::size_t i = 0; i < state_.outputs.size(); ++i) {
        RebuildShape of_output = shape.value();
        of_output.output_slots = of_output.slots_of(i);
        auto slab = state_.ports.buffers.lease(of_output.output_bytes());
        state_.outputs[i].window.lay_out(of_output, std::move(slab));
    }
}

void RebuildAttempt::make_plan() {
    std::vector<std::uint8_t> indexes;
    for (const Survivor& survivor : survivors_)
        indexes.push_back(survivor.stream->index());
    std::vector<std::uint8_t> wanted;
    for (std::size_t output = 0; output < state_.outputs.size(); ++output)
        wanted.push_back(state_.request.wanted_of(output));
    auto plan = state_.ports.codec.plan(state_.request.scheme, indexes, wanted);
    if (plan.has_error()) return fail(plan.error());
    plan_ = std::move(plan.value());
    digests_ = state_.ports.codec.digests(survivors_.size());
    views_.resize(state_.shape->input_sets * survivors_.size());
}

std::size_t RebuildAttempt::input_set(std::uint64_t round) const {
    return static_cast<std::size_t>(round % state_.shape->input_sets);
}

ByteSpan RebuildAttempt::input_slot(std::uint64_t round, std::size_t position) const {
    const std::size_t index = input_set(round) * state_.shape->survivors_max + position;
    return state_.shape->slot(state_.inputs.bytes(), index);
}

Awaitable<void> RebuildAttempt::read_round(std::uint64_t round) {
    const RebuildShape& shape = *state_.shape;
    const std::size_t bytes = shape.bytes_of_round(round);
    const bool last = round + 1 == shape.rounds;
    const std::size_t known = round == 0 ? fragment_header_bytes : 0;
    for (std::size_t position = 0; position < survivors_.size(); ++position) {
        const ByteSpan slot = input_slot(round, position);
        if (known > 0) std::ranges::copy(headers_[position], slot.begin());
        // The last read asks for one byte too many: the archive has to end here.
        survivors_[position].into = slot.subspan(known, bytes - known + (last ? 1 : 0));
        views_[input_set(round) * survivors_.size() + position] = slot.first(bytes);
    }
    co_await read_all();
    if (!good()) co_return;
    for (std::size_t position = 0; position < survivors_.size(); ++position) {
        const std::size_t got = known + survivors_[position].got.value();
        if (got == bytes) continue;
        const std::string ends =
            got < bytes ? "ends after " + std::to_string(round * shape.piece_bytes + got)
                        : "is longer than it should be: more than";
        blame(position, {errc::bad_fragment, "its archive " + ends + " of " +
                                                 std::to_string(shape.archive_bytes) + " bytes"});
    }
}

Awaitable<void> RebuildAttempt::read_one(Survivor& survivor) {
    Result<std::size_t> got = co_await survivor.stream->read(survivor.into);
    survivor.got = std::move(got);
}

Awaitable<void> RebuildAttempt::read_all() {
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_for_survivors);
    for (Survivor& survivor : survivors_)
        survivor.got = Error{errc::internal, "not read"};
    for (Survivor& survivor : survivors_) {
        if (survivor.into.size() > read_in_turn_bytes_max) {
            readers_.spawn(read_one(survivor), survivor.hurry.slot());
        } else if (!state_.stopping) {
            co_await read_one(survivor);
        }
    }
    co_await readers_.join();
    if (state_.stopping) co_return;
    for (std::size_t position = 0; position < survivors_.size(); ++position) {
        const auto& got = survivors_[position].got;
        if (got.has_value()) {
            FRAGMEND_ASSERT(got.value() <= survivors_[position].into.size());
            state_.ports.stats.survivor_bytes += got.value();
        } else if (got.error() == errc::cancelled) {
            fail(got.error());  // The source stops; nobody is to blame.
        } else if ((stalled_ || survivors_[position].stream->was_neglected()) &&
                   (got.error() == errc::disconnected || got.error() == errc::timeout)) {
            end_with(End::stale, got.error());
        } else {
            blame(position, got.error());
        }
    }
}

Awaitable<void> RebuildAttempt::wait_for_decode() {
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_for_decode);
    co_await decoder_.join();
}

Awaitable<RebuildAttempt::Slots> RebuildAttempt::wait_for_slots() {
    const WaitTimer timer(state_.ports.clock, state_.ports.stats.wait_for_session);
    const auto since = state_.ports.clock.steady();
    Slots slots;
    while (good() && slots.empty()) {
        if (const auto slot = state_.outputs.front().window.take_slot()) {
            slots.push_back(*slot);
        } else {
            co_await state_.consumed.wait();
        }
    }
    if (state_.ports.clock.steady() - since > state_.limits.stall_ms_max) stalled_ = true;
    // The others have room for everything.
    for (std::size_t i = 1; i < state_.outputs.size() && !slots.empty(); ++i)
        slots.push_back(state_.outputs[i].window.take_slot().value());
    co_return slots;
}

void RebuildAttempt::give_back(const Slots& slots) {
    for (std::size_t i = 0; i < slots.size(); ++i)
        state_.outputs[i].window.give_back(slots[i]);
}

Awaitable<void> RebuildAttempt::decode_round(std::uint64_t round, Slots slots) {
    const std::size_t count = survivors_.size();
    const std::size_t bytes = state_.shape->bytes_of_round(round);
    std::vector<ByteSpan> outputs;
    outputs.reserve(slots.size());
    for (const OutputWindow::Slot& slot : slots)
        outputs.push_back(slot.bytes.first(bytes));
    DecodeJob job;
    job.work.plan = plan_;
    job.work.survivors = std::span(views_).subspan(input_set(round) * count, count);
    job.work.outputs = outputs;
    job.work.digests = digests_.get();
    // Where everything is held back no prefix is ever compared; nor where nothing is sent yet.
    job.chain = state_.shape->hold_all ? nullptr : &chain_;
    const Result<void> ran = co_await state_.ports.dispatcher.run(job);
    if (ran.has_error() || job.work.error || state_.stopping) {
        give_back(slots);
        if (ran.has_error()) co_return fail(ran.error());
        if (job.work.error) judge(job.work);
        co_return;
    }
    RebuildStats& stats = state_.ports.stats;
    ++stats.rounds;
    stats.rebuilt_bytes += bytes * slots.size();
    if (round < state_.outputs.front().window.rounds_released()) ++stats.rounds_replayed;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        RebuildOutput& output = state_.outputs[i];
        const Result<void> accepted = output.window.accept(slots[i], round, chain_);
        if (accepted.has_error()) co_return fail(accepted.error());
        output.produced.notify();
    }
}

void RebuildAttempt::judge(const SegmentWork& work) {
    const Error& error = *work.error;
    if (work.culprit >= 0 && static_cast<std::size_t>(work.culprit) < survivors_.size()) {
        return blame(static_cast<std::size_t>(work.culprit), error);
    }
    if (!(error == errc::bad_fragment) && !(error == errc::wrong_bytes)) return fail(error);
    end_with(End::compute_fault, {errc::wrong_bytes, error.detail});
}

void RebuildAttempt::verify() {
    std::vector<std::size_t> different;
    for (std::size_t position = 0; position < survivors_.size(); ++position) {
        const Md5Digest digest = digests_->finish(position);
        if (to_hex(digest) != survivors_[position].stream->announced_md5()) {
            different.push_back(position);
        }
    }
    if (different.size() > 1 && different.size() == survivors_.size() &&
        !std::exchange(state_.all_differed, true)) {
        // All of them at once: rather our arithmetic than all their disks. But only once.
        return end_with(End::compute_fault,
                        {errc::wrong_bytes, "no survivor has the MD5 that its server announced"});
    }
    for (std::size_t position : different) {
        blame(position,
              {errc::bad_fragment, "its bytes do not have the MD5 that its server announced"});
    }
}

void RebuildAttempt::end_with(End end, Error error) {
    if (ended_ == End::failed) return;
    ended_ = end;
    error_ = std::move(error);
}

void RebuildAttempt::blame(std::size_t position, Error error) {
    Survivor& survivor = survivors_[position];
    if (survivor.blamed) return;
    survivor.blamed = true;
    culprits_.push_back({survivor.stream->device_id(), survivor.stream->index(),
                         survivor.stream->name(), std::move(error)});
}

}  // namespace fragmend::scheduler
