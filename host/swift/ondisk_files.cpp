// The selection rules, one step a function, on groups of files sorted newest first.
#include "host/swift/ondisk_files.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace fragmend::swift {
namespace {

using Files = std::vector<OndiskFile>;

/// The files by kind, each group newest first.
struct Groups {
    std::array<Files, 5> by_kind;
    Files& operator[](OndiskKind kind) { return by_kind[static_cast<std::size_t>(kind)]; }
};

void move_tail(Files& from, Files::iterator first, Files& to) {
    to.insert(to.end(), std::make_move_iterator(first), std::make_move_iterator(from.end()));
    from.erase(first, from.end());
}

Groups group_by_kind(std::span<const std::string> names, const SelectionOptions& options,
                     OndiskFiles& out) {
    Groups groups;
    for (const auto& name : names) {
        const auto parsed = parse_ondisk_name(name, options.fragment_count);
        if (!parsed) {
            out.unexpected.push_back(name);
            continue;
        }
        groups[parsed->kind].push_back({name, *parsed});
    }
    for (auto& group : groups.by_kind) {
        std::stable_sort(group.begin(), group.end(), [](const auto& a, const auto& b) {
            return a.timestamp() > b.timestamp();
        });
    }
    return groups;
}

void apply_tombstones(Groups& groups, OndiskFiles& out) {
    auto& tombstones = groups[OndiskKind::tombstone];
    if (tombstones.empty()) return;
    const Timestamp newest = tombstones.front().timestamp();
    for (auto& group : groups.by_kind) {
        if (&group == &tombstones) continue;
        const auto first = std::find_if(group.begin(), group.end(),
                                        [&](const auto& f) { return f.timestamp() <= newest; });
        move_tail(group, first, out.obsolete);
    }
    move_tail(tombstones, tombstones.begin() + 1, out.obsolete);
}

/// Keeps the newest `.meta`, and a second one only if that has a newer content type.
void apply_metas(Files& metas, OndiskFiles& out) {
    if (metas.empty()) return;
    const auto content_type = [](const OndiskFile& file) {
        return file.parsed.content_type.value_or(Timestamp{});
    };
    std::ptrdiff_t retain = 1;
    if (metas.size() > 1) {
        std::stable_sort(metas.begin() + 1, metas.end(), [&](const auto& a, const auto& b) {
            return content_type(a) > content_type(b);
        });
        if (content_type(metas[1]) > content_type(metas[0])) {
            if (metas[1].timestamp() == metas[0].timestamp()) {
                std::swap(metas[0], metas[1]);
            } else {
                retain = 2;
            }
        }
    }
    move_tail(metas, metas.begin() + retain, out.obsolete);
}

/// Records the sets of equal time down to the durable one, and marks the members of that one.
/// Returns the newest time that is known to be durable.
std::optional<Timestamp> record_fragment_sets(Groups& groups, OndiskFiles& out) {
    std::optional<Timestamp> durable_time;
    if (!groups[OndiskKind::legacy_durable].empty()) {
        durable_time = groups[OndiskKind::legacy_durable].front().timestamp();
    }
    const auto& fragments = groups[OndiskKind::data];
    for (std::size_t first = 0; first < fragments.size();) {
        FragmentSet set;
        set.timestamp = fragments[first].timestamp();
        while (first < fragments.size() && fragments[first].timestamp() == set.timestamp) {
            set.members.push_back(fragments[first++]);
        }
        std::stable_sort(set.members.begin(), set.members.end(), [](const auto& a, const auto& b) {
            return a.parsed.fragment_index < b.parsed.fragment_index;
        });
        const bool marked = std::any_of(set.members.begin(), set.members.end(),
                                        [](const auto& f) { return f.parsed.durable; });
        if (marked && (!durable_time || *durable_time < set.timestamp)) {
            durable_time = set.timestamp;
        }
        const bool is_durable = durable_time == set.timestamp;
        if (is_durable) {
            for (auto& member : set.members)
                member.parsed.durable = true;
            out.durable_set = out.recorded.size();
        }
        out.recorded.push_back(std::move(set));
        if (is_durable) break;
    }
    return durable_time;
}

struct ChosenSet {
    std::optional<std::size_t> set;
    std::optional<int> fragment_index;
};

/// The highest index of `set` that is not excluded.
std::optional<int> highest_acceptable(const FragmentSet& set, const std::vector<int>& exclude) {
    for (auto member = set.members.rbegin(); member != set.members.rend(); ++member) {
        const int index = member->parsed.fragment_index;
        if (std::find(exclude.begin(), exclude.end(), index) == exclude.end()) return index;
    }
    return std::nullopt;
}

ChosenSet choose_set(const OndiskFiles& files, const SelectionOptions& options) {
    if (!options.frag_prefs) return {files.durable_set, options.frag_index};
    std::vector<bool> rejected(files.recorded.size(), false);
    for (const auto& preference : *options.frag_prefs) {
        const auto found =
            std::find_if(files.recorded.begin(), files.recorded.end(),
                         [&](const auto& set) { return set.timestamp == preference.timestamp; });
        const auto at = static_cast<std::size_t>(found - files.recorded.begin());
        if (found == files.recorded.end() || rejected[at]) continue;
        const auto index = highest_acceptable(*found, preference.exclude);
        if (index) return {at, index};
        rejected[at] = true;
    }
    const auto newest = std::find(rejected.begin(), rejected.end(), false);
    if (newest == rejected.end()) return {std::nullopt, options.frag_index};
    return {static_cast<std::size_t>(newest - rejected.begin()), options.frag_index};
}

const OndiskFile* choose_member(const FragmentSet& set, std::optional<int> fragment_index) {
    if (!fragment_index) return &set.members.back();
    const auto found = std::find_if(set.members.begin(), set.members.end(), [&](const auto& f) {
        return f.parsed.fragment_index == *fragment_index;
    });
    return found == set.members.end() ? nullptr : &*found;
}

/// The newest data makes everything else of its time or before obsolete.
void apply_whole_objects(Groups& groups, OndiskFiles& out) {
    auto& objects = groups[OndiskKind::data];
    auto& metas = groups[OndiskKind::meta];
    if (objects.empty()) {
        out.possible_reclaim = metas;
        return;
    }
    const Timestamp newest = objects.front().timestamp();
    for (auto& group : groups.by_kind) {
        const bool is_data = &group == &objects;
        const auto first = std::find_if(group.begin(), group.end(), [&](const auto& f) {
            return is_data ? f.timestamp() < newest : f.timestamp() <= newest;
        });
        move_tail(group, first, out.obsolete);
    }
    out.data = objects.front();
}

void drop_older_than_durable(Groups& groups, const Timestamp& durable_time, OndiskFiles& out) {
    for (auto& group : groups.by_kind) {
        const auto first = std::find_if(group.begin(), group.end(), [&](const auto& f) {
            return f.timestamp() < durable_time;
        });
        move_tail(group, first, out.obsolete);
    }
}

void apply_fragments(Groups& groups, const SelectionOptions& options, OndiskFiles& out) {
    const auto durable_time = record_fragment_sets(groups, out);
    auto& metas = groups[OndiskKind::meta];
    auto chosen = choose_set(out, options);
    if (chosen.set) {
        if (const auto* member = choose_member(out.recorded[*chosen.set], chosen.fragment_index)) {
            out.data = *member;
        }
    }
    if (out.data && chosen.set != out.durable_set) {
        // Hidden, not obsolete: these metas may belong to the durable data below.
        const auto hidden = std::find_if(metas.begin(), metas.end(), [&](const auto& f) {
            return f.timestamp() <= out.data->timestamp();
        });
        metas.erase(hidden, metas.end());
    }
    if (durable_time) drop_older_than_durable(groups, *durable_time, out);
    if (!out.durable_set) {
        auto& legacy = groups[OndiskKind::legacy_durable];
        move_tail(legacy, legacy.begin(), out.obsolete);
    }
    for (std::size_t i = 0; i < out.recorded.size(); ++i) {
        if (i == out.durable_set || i == chosen.set) continue;
        const auto& members = out.recorded[i].members;
        out.possible_reclaim.insert(out.possible_reclaim.end(), members.begin(), members.end());
    }
    if (!out.durable_set) {
        out.possible_reclaim.insert(out.possible_reclaim.end(), metas.begin(), metas.end());
    }
}

}  // namespace

OndiskFiles select_ondisk_files(std::span<const std::string> names,
                                const SelectionOptions& options) {
    OndiskFiles out;
    Groups groups = group_by_kind(names, options, out);
    auto& metas = groups[OndiskKind::meta];
    auto& tombstones = groups[OndiskKind::tombstone];
    apply_tombstones(groups, out);
    apply_metas(metas, out);
    if (options.fragment_count == no_fragments) {
        apply_whole_objects(groups, out);
    } else {
        apply_fragments(groups, options, out);
    }
    if (out.data && !metas.empty()) {
        out.meta = metas.front();
        const auto& content_type = metas.back().parsed.content_type;
        if (content_type && *content_type > out.data->timestamp()) out.content_type = metas.back();
    }
    if (!out.data && !tombstones.empty()) out.tombstone = tombstones.front();
    return out;
}

}  // namespace fragmend::swift
