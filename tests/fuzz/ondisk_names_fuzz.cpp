// Any lines as the names in a hash directory: each file has at most one fate, and names that we
// make are read as what they were made of. Sources: host/swift/ondisk_names.cpp, ondisk_files.cpp,
// host/base/bytes.cpp, timestamp.cpp, error.cpp.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>

#include "host/swift/ondisk_files.hpp"

namespace {

using namespace fragmend::swift;

void check_name(const std::string& name, int fragment_count) {
    const auto parsed = parse_ondisk_name(name, fragment_count);
    if (!parsed) return;
    OndiskName again = *parsed;
    std::string made;
    if (parsed->kind == OndiskKind::data) {
        made = data_file_name(parsed->timestamp, parsed->fragment_index, parsed->durable);
    } else if (parsed->kind == OndiskKind::meta) {
        // A content-type time of its own never has an offset, whatever the name says.
        if (again.content_type && again.content_type->raw != again.timestamp.raw) {
            again.content_type->offset = 0;
        }
        made = meta_file_name(parsed->timestamp, parsed->content_type);
    } else if (parsed->kind == OndiskKind::tombstone) {
        made = tombstone_file_name(parsed->timestamp);
    } else {
        return;
    }
    FRAGMEND_ASSERT(*parse_ondisk_name(made, fragment_count) == again);
}

void check_selection(const std::vector<std::string>& names, const SelectionOptions& options) {
    const auto files = select_ondisk_files(names, options);
    std::set<std::string> gone;
    for (const auto& file : files.obsolete)
        gone.insert(file.name);
    for (const auto* kept : {&files.meta, &files.tombstone, &files.content_type}) {
        FRAGMEND_ASSERT(!*kept || !gone.contains((*kept)->name));
    }
    // Data that is chosen stays; unless an isolated marker condemned it, as in Swift.
    const bool is_whole = files.data && files.data->parsed.fragment_index < 0;
    if (files.data && files.data->parsed.durable && (files.durable_set || is_whole)) {
        FRAGMEND_ASSERT(!gone.contains(files.data->name));
    }
    for (const auto& name : files.unexpected)
        FRAGMEND_ASSERT(!gone.contains(name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::set<std::string, std::greater<>> sorted;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        sorted.emplace(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (const auto& name : sorted) {
        (void)is_rsync_temp_name(name);
        check_name(name, 6);
        check_name(name, no_fragments);
    }
    const std::vector<std::string> names(sorted.begin(), sorted.end());
    SelectionOptions options;
    check_selection(names, options);
    options.fragment_count = 6;
    options.frag_index = 1;
    check_selection(names, options);
    options.frag_prefs.emplace();
    check_selection(names, options);
    options.fragment_count = no_fragments;
    check_selection(names, options);
    return 0;
}
