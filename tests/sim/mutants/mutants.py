#!/usr/bin/env python3
# Planted faults: what the simulation has to catch. Each is a piece of a source and what stands there
# instead while its number is asked for ($M). Makes copies of the sources with all of them inside.
import os
import re
import sys

# (name, file, text that occurs exactly once, replacement)
MUTANTS = [
    # Verification of the sources.
    ("md5s-are-not-compared", "scheduler/attempt.cpp",
     "if (to_hex(digest) != survivors_[position].stream->announced_md5()) {",
     "if (!$M && to_hex(digest) != survivors_[position].stream->announced_md5()) {"),
    ("sources-are-not-verified", "scheduler/attempt.cpp",
     "    if (good()) verify();", "    if (good() && !$M) verify();"),
    ("one-digest-is-left-out", "scheduler/attempt.cpp",
     "for (std::size_t position = 0; position < survivors_.size(); ++position) {\n"
     "        const Md5Digest digest",
     "for (std::size_t position = $M ? 1 : 0; position < survivors_.size(); ++position) {\n"
     "        const Md5Digest digest"),
    ("the-wrong-survivor-is-blamed", "scheduler/attempt.cpp",
     "return blame(static_cast<std::size_t>(work.culprit), error);",
     "return blame((static_cast<std::size_t>(work.culprit) + ($M ? 1 : 0)) % survivors_.size(), "
     "error);"),
    ("every-survivor-is-blamed", "scheduler/attempt.cpp",
     "    for (std::size_t position : different) {",
     "    if ($M && !different.empty()) {\n"
     "        different.clear();\n"
     "        for (std::size_t i = 0; i < survivors_.size(); ++i) different.push_back(i);\n"
     "    }\n"
     "    for (std::size_t position : different) {"),
    ("a-codec-error-is-overlooked", "scheduler/attempt.cpp",
     "if (ran.has_error() || job.work.error || state_.stopping) {",
     "if ($M) job.work.error.reset();\n"
     "    if (ran.has_error() || job.work.error || state_.stopping) {"),
    ("a-failed-slot-is-lost", "scheduler/attempt.cpp",
     "        give_back(slots);\n        if (ran.has_error())",
     "        if (!$M) give_back(slots);\n        if (ran.has_error())"),
    ("shared-sources-are-not-hashed", "scheduler/attempt.cpp",
     "job.work.digests = digests_.get();",
     "job.work.digests = slots.size() == 1 || !$M ? digests_.get() : nullptr;"),
    ("a-shared-object-is-made-twice-over", "scheduler/attempt.cpp",
     "state_.request.wanted_of(output)", "state_.request.wanted_of($M ? 0 : output)"),
    ("a-reader-error-is-overlooked", "scheduler/attempt.cpp",
     "        } else {\n            blame(position, got.error());\n",
     "        } else if ($M) {\n            survivors_[position].got = survivors_[position]"
     ".into.size();\n        } else {\n            blame(position, got.error());\n"),
    ("the-second-input-set-is-the-first", "scheduler/attempt.cpp",
     "    return static_cast<std::size_t>(round % state_.shape->input_sets);",
     "    return $M ? 0 : static_cast<std::size_t>(round % state_.shape->input_sets);"),
    # The window.
    ("small-archives-are-not-held-back", "scheduler/output_window.cpp",
     "return verified_ || (!shape_.hold_all &&", "return verified_ || ((!shape_.hold_all || $M) &&"),
    ("a-replayed-prefix-is-not-compared", "scheduler/output_window.cpp",
     "if (round + 1 == rounds_released_ && chain != released_chain_) {",
     "if (round + 1 == rounds_released_ && chain != released_chain_ && !$M) {"),
    ("a-replayed-round-is-sent-again", "scheduler/output_window.cpp",
     "    if (round >= rounds_released_) {", "    if (round >= rounds_released_ || $M) {"),
    # The rebuild.
    ("a-culprit-is-asked-again", "scheduler/rebuild.cpp",
     "    state_.left_out.push_back(culprit.device_id);\n",
     "    if (!$M) state_.left_out.push_back(culprit.device_id);\n"),
    ("a-culprit-is-not-counted", "scheduler/rebuild.cpp",
     "    outcome_.culprits.push_back(culprit);\n",
     "    if (!$M) outcome_.culprits.push_back(culprit);\n"),
    ("one-attempt-is-enough", "scheduler/rebuild.cpp",
     "const bool last = outcome_.attempts >= state_.limits.attempts_max;",
     "const bool last = outcome_.attempts >= ($M ? 1 : state_.limits.attempts_max);"),
    ("a-computation-fault-ends-the-object-as-verified", "scheduler/rebuild.cpp",
     "if (note_compute_fault(attempt.error(), last)) co_return attempt.error();",
     "if ($M) co_return Result<void>();\n"
     "                if (note_compute_fault(attempt.error(), last)) co_return attempt.error();"),
    ("half-the-memory-is-asked-for", "scheduler/rebuild.cpp",
     "state_.share_bytes = charge.slab_bytes;",
     "state_.share_bytes = charge.slab_bytes;\n    if ($M) share_.shrink_to(share_.units() / 2);"),
    # Batches and read-ahead.
    ("a-worker-is-never-free-again", "scheduler/dispatcher.cpp",
     "    --busy_workers_;", "    if (!$M) --busy_workers_;"),
    ("a-larger-piece-ends-the-object", "scheduler/read_ahead.cpp",
     "if (needed == 0 || object.enlarged)", "if (needed == 0 || $M || object.enlarged)"),
    ("objects-behind-keep-their-memory", "scheduler/read_ahead.cpp",
     "    co_await end(objects_.front());\n", "    if (!$M) co_await end(objects_.front());\n"),
    # Gathering.
    ("another-version-is-taken", "transport/fragments/gather_decision.cpp",
     "    return is_announced;\n", "    return is_announced || $M;\n"),
    ("a-failed-candidate-is-waited-for", "transport/fragments/gather_decision.cpp",
     "    sources_[candidate].status = Status::useless;\n    ++errors_[unknown_status];\n    settle();",
     "    if (!$M) sources_[candidate].status = Status::useless;\n    ++errors_[unknown_status];\n"
     "    settle();"),
    ("nobody-else-is-asked", "transport/fragments/gather_decision.cpp",
     "    ask_one_more();\n    const bool is_waiting",
     "    if (!$M || errors_.empty()) ask_one_more();\n    const bool is_waiting"),
    ("an-answer-wakes-nobody", "transport/fragments/gather.cpp",
     "    gathering.changed.cancel();\n}", "    if (!$M) gathering.changed.cancel();\n}"),
    ("a-newer-version-is-taken", "transport/fragments/gather_decision.cpp",
     "    const bool is_announced = fragment.timestamp == request_.data_timestamp;\n"
     "    if (!bucket.etag) {",
     "    const bool is_announced = fragment.timestamp == request_.data_timestamp ||\n"
     "                              ($M && fragment.timestamp > request_.data_timestamp);\n"
     "    if ($M) bucket.etag = std::string(fragment.etag);\n"
     "    if (!bucket.etag) {"),
    # The session.
    ("a-left-out-head-stays", "transport/ssync/sender.cpp",
     "            out_.resize(mark);", "            if (!$M) out_.resize(mark);"),
    # Turns and rings.
    ("turns-are-not-waited-for", "host/sync/sync_job.cpp",
     "is_now = partner.round <= visits_.round;", "is_now = $M || partner.round <= visits_.round;"),
    ("what-is-put-off-is-forgotten", "host/sync/sync_job.cpp",
     "        if (looked.delta()) put_off_.push_back(partner.node.id);\n",
     "        if (looked.delta() && !$M) put_off_.push_back(partner.node.id);\n"),
    ("everybody-goes-first", "host/scan/jobs.cpp",
     "            partner.round = round;", "            partner.round = $M ? 0 : round;"),
    ("a-changed-ring-is-overlooked", "host/app/pass.cpp",
     "    changed_policies_.insert(state.policy.index);\n",
     "    if ($M) co_return true;\n    changed_policies_.insert(state.policy.index);\n"),
    ("the-ring-of-the-last-pass-stays", "host/app/pass.cpp",
     "            state.ring = state.ring_file->newest(services_.clock.steady());\n",
     "            if (!$M || !state.ring)\n"
     "                state.ring = state.ring_file->newest(services_.clock.steady());\n"),
    ("the-most-at-risk-wait", "host/app/pass.cpp",
     "    if (losses.empty()) return 0;\n",
     "    if ($M || losses.empty()) return 0;\n"),
    ("a-closed-gate-lets-through", "host/app/pass.cpp",
     "        co_await services_.gate.pass(cancelled_);\n",
     "        if (!$M) co_await services_.gate.pass(cancelled_);\n"),
    # The job.
    ("a-failed-object-is-not-counted", "host/sync/session_objects.cpp",
     "    ++counts_.failures[error.code];", "    if (!$M) ++counts_.failures[error.code];"),
    ("an-unsent-body-that-broke-is-left", "host/sync/session_objects.cpp",
     "if (*failed == errc::wrong_bytes &&", "if (!$M && *failed == errc::wrong_bytes &&"),
    ("a-failed-session-is-not-counted", "host/sync/partner_sync.cpp",
     "    services_.stats.session_failed(error ? error->code : errc::internal);",
     "    if (!$M) services_.stats.session_failed(error ? error->code : errc::internal);"),
    ("a-device-is-given-back-too-early", "host/sync/partner_sync.cpp",
     "        auto ended = co_await session(later);\n",
     "        if ($M) slot.release();\n        auto ended = co_await session(later);\n"),
    # What several sessions share.
    ("what-is-not-verified-is-kept", "host/sync/session_objects.cpp",
     "!rebuild.outcome().verified ||", "(!rebuild.outcome().verified && !$M) ||"),
    ("what-is-kept-pays-nothing", "scheduler/rebuild.cpp",
     "        if (state_.outputs[i].window.has_memory())",
     "        if (state_.outputs[i].window.has_memory() && (!$M || i == 0))"),
    ("another-fragment-is-taken-from-the-stash", "host/sync/stash.cpp",
     "    const auto found = places_.find(key);\n",
     "    auto found = places_.find(key);\n"
     "    if ($M && !places_.empty()) found = places_.begin();\n"),
    # Reverts.
    ("what-one-target-took-is-removed", "host/sync/revert_job.cpp",
     "    if (!delivered || takers_.size() != job_.targets.size()) co_return;",
     "    if (!delivered || (!$M && takers_.size() != job_.targets.size())) co_return;"),
    ("what-any-target-took-is-removed", "host/sync/revert_job.cpp",
     "        return found == one.end() || !(found->second == entry.second);",
     "        return !$M && (found == one.end() || !(found->second == entry.second));"),
    ("a-session-that-broke-off-counts", "host/sync/revert_job.cpp",
     "    if (!result.success) co_return std::nullopt;",
     "    if (!result.success && !$M) co_return std::nullopt;"),
    ("non-durable-is-removed-as-durable", "host/sync/revert_job.cpp",
     ".durable = offer.durable.value_or(false),",
     ".durable = offer.durable.value_or(false) || $M,"),
    ("the-lock-is-given-back-before-the-purge", "host/sync/revert_job.cpp",
     "    const Ended ended = co_await run_locked(std::move(slot.value()));",
     "    if ($M) locked.value().release();\n"
     "    const Ended ended = co_await run_locked(std::move(slot.value()));"),
    ("a-revert-that-failed-is-done", "host/sync/revert_job.cpp",
     "        account_failures();\n        if (ended != Ended::done)",
     "        if (!$M) account_failures();\n        if (ended != Ended::done && !$M)"),
    ("suffixes-that-were-not-listed-are-done", "host/sync/revert_job.cpp",
     "        first += slice.suffixes.size();", "        first += $M ? 2 : slice.suffixes.size();"),
    ("the-limit-of-a-revert-is-forgotten", "host/sync/revert_objects.cpp",
     "        limited_ = true;", "        limited_ = !$M;"),
    ("what-was-left-out-is-removed", "host/sync/revert_objects.cpp",
     "        offered_.erase(hash);", "        if (!$M) offered_.erase(hash);"),
    ("non-durable-is-offered-to-everybody", "host/sync/revert_objects.cpp",
     "    if (!with_non_durable_) return std::nullopt;",
     "    if (!with_non_durable_ && !$M) return std::nullopt;"),
    ("fragments-go-with-tombstones", "host/sync/revert_objects.cpp",
     "        if (!plan_.fragment_index && offer.durable) continue;",
     "        if (!plan_.fragment_index && offer.durable && !$M) continue;"),
    ("non-durable-is-committed", "host/sync/sub_requests.cpp",
     "    if (!durable) headers", "    if (!durable && !$M) headers"),
    ("a-reverted-archive-is-not-checked", "host/sync/local_body.cpp",
     "    if (found == expected_md5_) return {};",
     "    if (found == expected_md5_ || $M) return {};"),
    ("a-piece-on-its-way-pays-nothing", "host/sync/revert_objects.cpp",
     "std::min(piece_bytes, services_.budget.capacity_bytes())",
     "$M ? 1 : std::min(piece_bytes, services_.budget.capacity_bytes())"),
    # The throttle.
    ("nobody-waits-for-the-throttle", "scheduler/throttle.cpp",
     "        if (free_at > now) {",
     "        if (free_at > now && !$M) {"),
    ("a-known-node-is-not-limited", "scheduler/throttle.cpp",
     "        bucket.set_rate(rates.per_node, now);",
     "        bucket.set_rate($M ? 0 : rates.per_node, now);"),
    ("a-new-rate-is-for-later", "scheduler/token_bucket.cpp",
     "    settle(now);\n    rate_ = bytes_per_s;",
     "    settle(now);\n    if (!$M || rate_ == 0) rate_ = bytes_per_s;"),
    ("what-was-not-used-is-kept", "scheduler/token_bucket.cpp",
     "rate * Seconds(burst).count());",
     "rate * Seconds($M ? Seconds(600) : burst).count());"),
    ("a-read-is-charged-as-a-byte", "host/sync/survivor_source.cpp",
     "throttle.read(std::move(from), into.size(), never);",
     "throttle.read(std::move(from), $M ? 1 : into.size(), never);"),
    ("reverts-are-not-throttled", "host/sync/local_body.cpp",
     "throttle != nullptr && throttle->limits_sending()",
     "throttle != nullptr && !$M && throttle->limits_sending()"),
    ("a-second-look-is-not-throttled", "host/sync/partner_sync.cpp",
     "throttle == nullptr || !throttle->limits_reading()) co_return rested;",
     "throttle == nullptr || $M || !throttle->limits_reading()) co_return rested;"),
    ("the-throttle-is-never-the-limit", "scheduler/snapshot.cpp",
     "    if (throttled && waits", "    if (throttled && !$M && waits"),
    # Memory.
    ("nobody-makes-room", "scheduler/memory_budget.cpp",
     "    if (make_room_ && bytes", "    if (make_room_ && !$M && bytes"),
    ("receive-buffers-are-not-charged", "scheduler/rebuild_shape.cpp",
     "    if (charge.receives_whole) charge.outside_bytes = whole;",
     "    if (charge.receives_whole && !$M) charge.outside_bytes = whole;"),
    ("what-a-full-session-left-is-dropped", "host/sync/partner_sync.cpp",
     "    if (!ended.left.empty()) {", "    if (!ended.left.empty() && !$M) {"),
    # The turns of a pass.
    ("what-is-cancelled-goes-on", "host/app/pass.cpp",
     "    return std::ranges::any_of(left_out_,", "    return !$M && std::ranges::any_of(left_out_,"),
    ("what-stood-back-is-forgotten", "host/app/pass.cpp",
     "        lines_[ended.crowded_target].turns.push_back(std::move(turn));\n",
     "        if (!$M) lines_[ended.crowded_target].turns.push_back(std::move(turn));\n"),
    ("a-session-begins-in-a-pause", "host/sync/partner_sync.cpp",
     "if (services_.gate.is_closed()) continue;", "if (services_.gate.is_closed() && !$M) continue;"),
    ("a-revert-begins-in-a-pause", "host/sync/revert_job.cpp",
     "    paused_ = services_.gate.is_closed();\n",
     "    paused_ = services_.gate.is_closed() && !$M;\n"),
]


def mutated(root, name):
    """The source with every fault of its own inside, and the numbers whose text was not found."""
    with open(os.path.join(root, name), encoding="utf-8") as handle:
        text = handle.read()
    original, stale = text, []
    for number, (_, file, find, replace) in enumerate(MUTANTS, 1):
        if file != name:
            continue
        if original.count(find) != 1 or text.count(find) != 1:
            stale.append(number)
            continue
        text = text.replace(find, replace.replace("$M", f"::fragmend::sim::mutant({number})"))
    return '#include "tests/sim/mutants/mutant.hpp"\n' + text, stale


def main():
    if len(sys.argv) == 2 and sys.argv[1] == "files":
        print(";".join(sorted({mutant[1] for mutant in MUTANTS})))
        return
    root, out = sys.argv[1:3]
    stale = []
    for name in sorted({mutant[1] for mutant in MUTANTS}):
        text, missing = mutated(root, name)
        stale += missing
        with open(os.path.join(out, re.sub("/", "_", name)), "w", encoding="utf-8") as handle:
            handle.write(text)
    with open(os.path.join(out, "mutant_list.inc"), "w", encoding="utf-8") as handle:
        for number, (name, *_) in enumerate(MUTANTS, 1):
            handle.write(f'{{{number}, "{name}", {"true" if number in stale else "false"}}},\n')


if __name__ == "__main__":
    main()
