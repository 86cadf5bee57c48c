// Choosing good archives, proving that they agree, and decoding from them.
#include "host/codec/archive_rebuild.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "host/codec/archive_digests.hpp"
#include "host/codec/fragment_header.hpp"
#include "kernels/gf/generator.hpp"

namespace fragmend::codec {

using scheduler::SegmentWork;

namespace {

/// Segments decoded in one batch, at most.
constexpr std::size_t segments_a_batch = 32;
/// Of archives in memory at a time, if a segment is not longer.
constexpr std::size_t memory_bytes = 64 << 20;

/// A source that passed the checks of it alone.
struct Member {
    std::size_t source;
    ArchiveShape shape;
    bool verified;         ///< By its MD5.
    std::size_t fragment;  ///< Its index; of an empty one that does not say, a number of its own.
};
using Members = std::vector<Member>;

class Rebuild {
  public:
    Rebuild(scheduler::Codec& codec, const ArchiveRequest& request,
            std::span<const ArchiveSource> sources, ArchiveReport& report)
        : codec_(codec), request_(request), sources_(sources), report_(report) {}

    Result<void> run(const ArchiveSink& sink) {
        admit();
        if (auto agreed = agree_on_the_object(); !agreed) return agreed;
        leave_out_emptied();
        if (auto agreed = agree_on_the_cut(); !agreed) return agreed;
        leave_out_doubles();
        if (cut_.segments == 0) return nothing_at_all();
        if (auto fits = check_segment_bytes(); !fits) return fits;
        if (auto sound = despite_unreadable([this] { return leave_out_contradicting(); }); !sound) {
            return sound;
        }
        const Members compared = members_;
        report_.segments = cut_.segments;
        report_.proven = true;
        Md5 md5;
        std::size_t next = 0;
        const auto emit = [&](std::size_t segment, ByteView fragment) -> Result<void> {
            md5.update(fragment);
            report_.bytes += fragment.size();
            next = segment + 1;
            return sink(fragment);
        };
        // All members agree: where one fails, others go on from the next segment.
        auto done = despite_unreadable([&]() -> Result<void> {
            const auto survivors = choose(members_, request_.wanted);
            if (!survivors) return too_few();
            note_use(*survivors, compared);
            return decode(members_, *survivors, request_.wanted, emit, next);
        });
        report_.md5 = md5.finish();
        return done;
    }

  private:
    using Visit = std::function<Result<void>(std::size_t segment, ByteView fragment)>;

    void leave_out(std::size_t source, std::string why, bool damaged = true) {
        report_.left_out.push_back({source, std::move(why), damaged});
    }

    /// Does `step` again without each archive that it could not read.
    Result<void> despite_unreadable(const std::function<Result<void>()>& step) {
        for (;;) {
            auto done = step();
            if (done || !unreadable_) return done;
            leave_out(*unreadable_, done.error().detail);
            std::erase_if(members_, [&](const Member& m) { return m.source == *unreadable_; });
            unreadable_.reset();
        }
    }

    /// Errors: what reading says, which `despite_unreadable` takes up.
    Result<void> read(std::size_t source, std::uint64_t at, ByteSpan into) {
        auto done = sources_[source].bytes.read(at, into);
        if (!done) unreadable_ = source;
        return done;
    }

    /// Each source by itself: MD5, then headers.
    void admit() {
        const bool all_empty = std::ranges::all_of(
            sources_, [](const ArchiveSource& source) { return source.bytes.empty(); });
        std::vector<ArchiveBytes> archives;
        for (const ArchiveSource& source : sources_)
            archives.push_back(source.unusable ? ArchiveBytes() : source.bytes);
        digests_ = digests_of(archives, memory_bytes);
        for (std::size_t i = 0; i < sources_.size(); ++i) {
            const ArchiveSource& source = sources_[i];
            if (source.unusable) {
                leave_out(i, source.unusable->why, source.unusable->damaged);
                continue;
            }
            if (!digests_[i]) {
                leave_out(i, digests_[i].error().detail);
                continue;
            }
            if (source.md5 && *source.md5 != *digests_[i]) {
                leave_out(i, "its MD5 is " + to_hex(*digests_[i]) + ", not " + to_hex(*source.md5));
                continue;
            }
            const auto shape = read_archive_shape(request_.scheme, source.bytes);
            if (!shape) {
                leave_out(i, shape.error().detail);
            } else if (shape->segments == 0 && !source.md5 && !all_empty) {
                leave_out(i, "it is empty");
            } else {
                admit(i, *shape);
            }
        }
    }

    void admit(std::size_t i, const ArchiveShape& shape) {
        const ArchiveSource& source = sources_[i];
        std::size_t fragment = shape.index;
        // An object without bytes has archives without bytes, and without headers.
        if (shape.segments == 0) fragment = source.index ? std::size_t{*source.index} : 256 + i;
        if (fragment == request_.wanted) {
            leave_out(i, "it is fragment " + std::to_string(fragment) + " itself", false);
        } else {
            members_.push_back({i, shape, source.md5.has_value(), fragment});
        }
    }

    /// An object has bytes or has none, and a file loses them sooner than it gains them.
    void leave_out_emptied() {
        const auto empty = [](const Member& m) { return m.shape.segments == 0; };
        if (std::ranges::all_of(members_, empty)) return;
        std::erase_if(members_, [&](const Member& member) {
            if (empty(member)) leave_out(member.source, "it is empty, unlike others");
            return empty(member);
        });
    }

    /// Errors: too_few_fragments.
    Result<void> nothing_at_all() {
        const auto k = static_cast<std::size_t>(request_.scheme.k);
        if (members_.size() < k) return too_few();
        std::ranges::stable_sort(members_, std::greater<>(), &Member::verified);
        for (const Member& member : std::span(members_).first(k)) {
            const auto& index = sources_[member.source].index;
            if (index) report_.survivors.push_back(*index);
            report_.verified += member.verified ? 1 : 0;
        }
        report_.used = k;
        report_.proven = report_.verified == k;
        report_.spares = members_.size() - k;
        report_.md5 = Md5().finish();
        return {};
    }

    /// Of several archives of one fragment: the verified one, or any when they are equal.
    void leave_out_doubles() {
        std::map<std::size_t, Members> by_fragment;
        for (const Member& member : members_) {
            by_fragment[member.fragment].push_back(member);
        }
        Members kept;
        for (auto& [index, same] : by_fragment) {
            std::ranges::stable_sort(same, std::greater<>(), &Member::verified);
            const Member& first = same.front();
            bool differs = false;
            for (const Member& other : std::span(same).subspan(1)) {
                if (*digests_[other.source] == *digests_[first.source]) {
                    leave_out(other.source, "the same as " + sources_[first.source].name, false);
                } else {
                    leave_out(other.source, "fragment " + std::to_string(index) + " unlike " +
                                                sources_[first.source].name);
                    differs = differs || !first.verified || other.verified;
                }
            }
            if (!differs) {
                kept.push_back(first);
            } else {
                leave_out(first.source, "fragment " + std::to_string(index) +
                                            " in another form, too, and which is right is unknown");
            }
        }
        std::ranges::sort(kept, {}, &Member::source);
        members_ = std::move(kept);
    }

    /// The cut that most fragments have. Errors: too_few_fragments, bad_fragment.
    Result<void> agree_on_the_cut() {
        std::size_t most = 0;
        bool tie = false;
        for (const Member& member : members_) {
            std::set<std::size_t> votes;
            for (const Member& other : members_) {
                if (other.shape.same_cut(member.shape)) votes.insert(other.fragment);
            }
            if (votes.size() > most) {
                most = votes.size();
                cut_ = member.shape;
                tie = false;
            } else if (votes.size() == most && !member.shape.same_cut(cut_)) {
                tie = true;
            }
        }
        if (members_.empty()) return too_few();
        if (tie) return Error{errc::bad_fragment, "the archives are of different objects"};
        std::erase_if(members_, [&](const Member& member) {
            if (member.shape.same_cut(cut_)) return false;
            leave_out(member.source, "its segments are cut unlike the others'");
            return true;
        });
        return {};
    }

    /// Errors: bad_fragment.
    Result<void> check_segment_bytes() const {
        const std::uint64_t asked = request_.segment_bytes.value_or(cut_.segment_bytes);
        const bool fits =
            cut_.segments > 1 ? cut_.segment_bytes == asked : cut_.segment_bytes <= asked;
        if (fits) return {};
        return Error{errc::bad_fragment, "the archives' segments are of " +
                                             std::to_string(cut_.segment_bytes) + " bytes, not " +
                                             std::to_string(asked)};
    }

    /// Where it is known of which object they are: the one that most fragments are of. Errors:
    /// bad_fragment.
    Result<void> agree_on_the_object() {
        const auto object_of = [&](const Member& m) -> const std::string& {
            return sources_[m.source].object;
        };
        std::map<std::string, std::set<std::size_t>> votes;
        for (const Member& member : members_) {
            if (!object_of(member).empty()) votes[object_of(member)].insert(member.fragment);
        }
        if (votes.size() < 2) return {};
        const auto count = [](const auto& vote) { return vote.second.size(); };
        const auto most = std::ranges::max_element(votes, {}, count);
        const auto as_many = std::ranges::count(votes, count(*most), count);
        if (as_many > 1) return Error{errc::bad_fragment, "the archives are of different objects"};
        std::erase_if(members_, [&](const Member& member) {
            if (object_of(member).empty() || object_of(member) == most->first) return false;
            leave_out(member.source, "it is of another object or version: " + object_of(member));
            return true;
        });
        return {};
    }

    /// Leaves out what contradicts verified archives, where those suffice; else the fewest archives
    /// without which all others agree, where enough spares say so. Errors: bad_fragment,
    /// too_few_fragments, wrong_bytes.
    Result<void> leave_out_contradicting() {
        if (!choose(members_, request_.wanted)) return too_few();
        if (auto done = compare_with_verified(); !done) return done;
        auto agreed = agree(members_);
        if (!agreed) return agreed.error();
        if (*agreed) return {};
        const auto k = static_cast<std::size_t>(request_.scheme.k);
        const auto back_end = find_back_end(request_.scheme.ec_type);
        const bool mds = gf::any_k_suffice((*back_end)->code);
        const std::size_t spares = mds ? members_.size() - k : 0;
        std::string suspects;
        for (std::size_t bad = 1; 2 * bad <= spares; ++bad) {
            std::vector<bool> out(members_.size());
            std::fill_n(out.begin(), bad, true);
            do {
                auto found = agree_without(out);
                if (!found) return found.error();
                if (!*found) continue;
                // One spare more than it takes to find them: else as many others might be wrong.
                if (2 * bad < spares) return leave_out_marked(out);
                suspects = "; they would agree without " + names(out);
            } while (std::prev_permutation(out.begin(), out.end()));
        }
        return Error{
            errc::bad_fragment,
            "the archives contradict each other, and there are too few to be sure which of "
            "them are wrong" +
                suspects};
    }

    /// Those whose MD5 is known and right have the last word when there are enough of them.
    Result<void> compare_with_verified() {
        Members trusted;
        std::ranges::copy_if(members_, std::back_inserter(trusted), &Member::verified);
        if (!choose(trusted, request_.wanted)) return {};
        const Members all = members_;
        for (const Member& member : all) {
            if (member.verified) continue;
            Members with = trusted;
            with.push_back(member);
            auto agreed = agree(with);
            if (!agreed) return agreed.error();
            if (*agreed) continue;
            leave_out(member.source, "its bytes contradict those whose MD5 is known");
            std::erase_if(members_, [&](const Member& m) { return m.source == member.source; });
        }
        std::ranges::stable_sort(members_, std::greater<>(), &Member::verified);
        return {};
    }

    /// Whether those that `out` does not mark agree. Never without a verified one.
    Result<bool> agree_without(const std::vector<bool>& out) {
        Members rest;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (out[i] && members_[i].verified) return false;
            if (!out[i]) rest.push_back(members_[i]);
        }
        return agree(rest);
    }

    Result<void> leave_out_marked(const std::vector<bool>& out) {
        Members rest;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (out[i]) {
                leave_out(members_[i].source, "its bytes contradict all the others'");
            } else {
                rest.push_back(members_[i]);
            }
        }
        members_ = std::move(rest);
        return {};
    }

    std::string names(const std::vector<bool>& out) const {
        std::string text;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (out[i]) text += (text.empty() ? "" : " and ") + sources_[members_[i].source].name;
        }
        return text;
    }

    /// Whether each archive that follows from others is what follows.
    Result<bool> agree(const Members& members) {
        const auto back_end = find_back_end(request_.scheme.ec_type);
        const bool mds = gf::any_k_suffice((*back_end)->code);
        const auto k = static_cast<std::size_t>(request_.scheme.k);
        for (std::size_t i = mds ? k : 0; i < members.size(); ++i) {
            const std::uint8_t index = members[i].shape.index;
            Members others(members.begin(),
                           mds ? members.begin() + static_cast<std::ptrdiff_t>(k) : members.end());
            std::erase_if(others, [&](const Member& m) { return m.shape.index == index; });
            const auto survivors = choose(others, index);
            if (!survivors) continue;
            bool same = true;
            std::vector<std::byte> mine(full_bytes());
            const auto compare = [&](std::size_t segment, ByteView fragment) -> Result<void> {
                mine.resize(fragment.size());
                if (auto done = read(members[i].source, segment * full_bytes(), mine); !done) {
                    return done;
                }
                same = std::ranges::equal(fragment.subspan(fragment_header_bytes),
                                          std::span(mine).subspan(fragment_header_bytes));
                if (same) return {};
                return Error{errc::cancelled, ""};
            };
            auto done = decode(others, *survivors, index, compare);
            if (!same) return false;
            if (!done) return done.error();
        }
        return true;
    }

    /// `compared`: all that agreed; those that have failed since then may be among them.
    void note_use(const std::vector<std::uint8_t>& survivors, const Members& compared) {
        report_.survivors = survivors;
        report_.used = survivors.size();
        report_.spares = report_.verified = 0;
        for (const Member& member : members_) {
            // What follows from others was compared with it; flat XOR has spares that do not.
            Members others = compared;
            std::erase_if(others, [&](const Member& m) { return m.fragment == member.fragment; });
            const bool follows = choose(others, member.shape.index).has_value();
            if (std::ranges::find(survivors, member.shape.index) == survivors.end()) {
                report_.spares += follows ? 1 : 0;
            } else {
                report_.verified += member.verified ? 1 : 0;
                report_.proven = report_.proven && (member.verified || follows);
            }
        }
    }

    std::optional<std::vector<std::uint8_t>> choose(const Members& members, std::uint8_t wanted) {
        // Those with a known MD5 first.
        std::vector<std::uint8_t> available;
        for (const bool verified : {true, false}) {
            for (const Member& member : members) {
                if (member.verified == verified) available.push_back(member.shape.index);
            }
        }
        return codec_.choose_survivors(request_.scheme, available, wanted);
    }

    std::size_t full_bytes() const {
        return codec_.fragment_bytes(request_.scheme, cut_.segment_bytes);
    }

    /// Every segment of fragment `wanted` from `first` on, in order.
    Result<void> decode(const Members& members, std::span<const std::uint8_t> survivors,
                        std::uint8_t wanted, const Visit& visit, std::size_t first = 0) {
        const auto plan = codec_.plan(request_.scheme, survivors, wanted);
        if (!plan) return plan.error();
        std::vector<std::size_t> archives;
        for (std::uint8_t index : survivors) {
            const auto member =
                std::ranges::find(members, index, [](const Member& m) { return m.shape.index; });
            archives.push_back(member->source);
        }
        const std::size_t full = full_bytes();
        const std::size_t last = codec_.fragment_bytes(request_.scheme, cut_.last_segment_bytes);
        const std::size_t fitting = memory_bytes / (full * (archives.size() + 1));
        const std::size_t a_batch =
            std::clamp<std::size_t>(fitting, 1, std::min(segments_a_batch, cut_.segments));
        std::vector<std::byte> input(archives.size() * a_batch * full);
        std::vector<std::byte> output(a_batch * full);
        for (; first < cut_.segments; first += a_batch) {
            const std::size_t count = std::min(a_batch, cut_.segments - first);
            const bool to_the_end = first + count == cut_.segments;
            const std::size_t bytes = (count - 1) * full + (to_the_end ? last : full);
            for (std::size_t i = 0; i < archives.size(); ++i) {
                const auto into = std::span(input).subspan(i * a_batch * full, bytes);
                if (auto done = read(archives[i], first * full, into); !done) return done;
            }
            std::vector<SegmentWork> items(count);
            std::vector<ByteSpan> outputs(count);
            std::vector<std::vector<ByteView>> views(count);
            std::vector<SegmentWork*> batch;
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t length = first + i + 1 == cut_.segments ? last : full;
                for (std::size_t a = 0; a < archives.size(); ++a) {
                    views[i].push_back(ByteView(input).subspan((a * a_batch + i) * full, length));
                }
                items[i].plan = *plan;
                items[i].survivors = views[i];
                outputs[i] = std::span(output).subspan(i * full, length);
                items[i].outputs = std::span(&outputs[i], 1);
                batch.push_back(&items[i]);
            }
            codec_.run(batch);
            for (std::size_t i = 0; i < count; ++i) {
                if (items[i].error) return *items[i].error;
                if (auto seen = visit(first + i, outputs[i]); !seen) return seen;
            }
        }
        return {};
    }

    Error too_few() const {
        return {errc::too_few_fragments,
                std::to_string(members_.size()) + " of " + std::to_string(sources_.size()) +
                    " archives can be used, which do not determine fragment " +
                    std::to_string(request_.wanted) + " of " + to_string(request_.scheme)};
    }

    scheduler::Codec& codec_;
    const ArchiveRequest& request_;
    std::span<const ArchiveSource> sources_;
    ArchiveReport& report_;
    std::vector<Result<Md5Digest>> digests_;  ///< Of each source that was read to its end.
    Members members_;
    ArchiveShape cut_;
    std::optional<std::size_t> unreadable_;  ///< The source that ended a step.
};

}  // namespace

Result<void> rebuild_archive(scheduler::Codec& codec, const ArchiveRequest& request,
                             std::span<const ArchiveSource> sources, const ArchiveSink& sink,
                             ArchiveReport& report) {
    report = {};
    const auto back_end = find_back_end(request.scheme.ec_type);
    if (!back_end) return back_end.error();
    if (request.wanted >= request.scheme.n()) {
        return Error{errc::singular, to_string(request.scheme) + " has no fragment " +
                                         std::to_string(request.wanted)};
    }
    return Rebuild(codec, request, sources, report).run(sink);
}

}  // namespace fragmend::codec
