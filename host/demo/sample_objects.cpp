// Drawing objects.
#include "host/demo/sample_objects.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace fragmend::demo {
namespace {

constexpr std::int64_t second = 100'000;  // Of Timestamp::raw.
constexpr std::int64_t oldest_s = 3600;
constexpr std::int64_t youngest_s = 600;

/// A number below `bound` that is the same with every standard library, unlike distributions.
std::uint64_t below(std::mt19937_64& random, std::uint64_t bound) {
    return bound == 0 ? 0 : random() % bound;
}

std::uint64_t draw_size(std::mt19937_64& random, const SizeRange& range) {
    if (range.min >= range.max) return range.min;
    const int lowest = static_cast<int>(std::bit_width(range.min));
    const int highest = static_cast<int>(std::bit_width(range.max));
    const int width =
        lowest + static_cast<int>(below(random, static_cast<std::uint64_t>(highest - lowest + 1)));
    // All numbers of that many bits that the range has.
    const std::uint64_t first = width == 0 ? 0 : std::uint64_t{1} << (width - 1);
    const std::uint64_t last = width == 0 ? 0 : first + (first - 1);
    const std::uint64_t from = std::max(first, range.min);
    const std::uint64_t to = std::min(last, range.max);
    return from + below(random, to - from + 1);
}

std::string numbered(const char* stem, std::size_t number) {
    std::string digits = std::to_string(number);
    return stem + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

void add_history(SampleObject& object, std::size_t number, std::mt19937_64& random) {
    if (number % 7 == 3) object.name = "r\xc3\xa9sum\xc3\xa9 100% #" + object.name;
    if (number % 5 == 1)
        object.user_meta =
            "gr\xc3\xbc\xc3\x9f"
            "e " +
            std::to_string(number);
    const auto later = [&](const Timestamp& time) {
        return Timestamp{time.raw + second + static_cast<std::int64_t>(below(random, 60 * second)),
                         0};
    };
    if (number % 10 == 4) object.posted_at = later(object.put_at);
    if (number % 20 == 11) object.deleted_at = later(object.put_at);
}

}  // namespace

std::vector<SampleObject> sample_objects(const SampleSpec& spec, const Timestamp& now) {
    std::mt19937_64 random(spec.seed);
    std::vector<SampleObject> objects;
    objects.reserve(spec.count);
    for (std::size_t number = 0; number < spec.count; ++number) {
        SampleObject object;
        object.container = "box-" + std::to_string(number % 4);
        object.name = numbered("object-", number);
        object.bytes = draw_size(random, spec.sizes[number % spec.sizes.size()]);
        object.content_seed = random();
        object.content_type = "application/octet-stream";
        const auto age = youngest_s * second +
                         static_cast<std::int64_t>(below(random, (oldest_s - youngest_s) * second));
        object.put_at = {now.raw - age, 0};
        if (spec.histories) add_history(object, number, random);
        objects.push_back(std::move(object));
    }
    return objects;
}

std::uint64_t object_bytes(const std::vector<SampleObject>& objects) {
    std::uint64_t sum = 0;
    for (const SampleObject& object : objects)
        if (!object.deleted_at) sum += object.bytes;
    return sum;
}

}  // namespace fragmend::demo
