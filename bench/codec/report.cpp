// Printing and writing the bench's figures.
#include "bench/codec/report.hpp"

#include <sys/utsname.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "host/codec/dot_kernels.hpp"
#include "host/codec/library.hpp"
#include "host/codec/md5_kernels.hpp"

namespace fragmend::bench {

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    utsname machine{};
    return uname(&machine) == 0 ? machine.machine : "unknown";
}

void Report::add(Line line) {
    std::printf("%-34s %-28s %8zu B %-5s %7.2f GB/s\n", line.what.c_str(), line.scheme.c_str(),
                line.fragment_bytes, line.cold ? "cold" : "hot", line.gb_per_s);
    std::fflush(stdout);
    lines_.push_back(std::move(line));
}

void Report::add(Contest contest) {
    const Duel& duel = contest.result;
    std::printf("%-34s %-28s %8zu B %8.2f GB/s, %s %.2f: %.2f times", contest.ours.c_str(),
                contest.scheme.c_str(), contest.fragment_bytes, duel.ours, contest.rival.c_str(),
                duel.theirs, duel.ratio);
    if (contest.target > 0) {
        std::printf(" (target %.2f%s)", contest.target,
                    duel.ratio >= contest.target ? "" : ", MISSED");
    }
    std::printf("\n");
    std::fflush(stdout);
    contests_.push_back(std::move(contest));
}

int Report::missed() const {
    int count = 0;
    for (const Contest& contest : contests_) {
        if (contest.target > 0 && contest.result.ratio < contest.target) ++count;
    }
    return count;
}

void Report::write_json(const std::string& path, const std::string& command) const {
    std::ofstream out(path);
    const std::time_t now = std::time(nullptr);
    char date[32] = {};
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    out << "{\n  \"cpu\": \"" << cpu_name()
        << "\",\n  \"cores\": " << std::thread::hardware_concurrency() << ",\n  \"date\": \""
        << date << "\",\n  \"commit\": \"" << FRAGMEND_COMMIT << "\",\n  \"command\": \"" << command
        << "\",\n  \"decode\": \"" << codec::available_kernels().back()->name
        << "\",\n  \"md5\": \"" << codec::available_md5_kernels().back()->name
        << "\",\n  \"liberasurecode\": \"" << codec::version_text(codec::library_version())
        << "\",\n  \"unit\": \"10^9 survivor bytes read per CPU second, one thread\",\n"
        << "  \"contests\": [\n";
    for (std::size_t i = 0; i < contests_.size(); ++i) {
        const Contest& c = contests_[i];
        out << "    {\"ours\": \"" << c.ours << "\", \"rival\": \"" << c.rival
            << "\", \"scheme\": \"" << c.scheme << "\", \"fragment_bytes\": " << c.fragment_bytes
            << ", \"gb_per_s\": " << c.result.ours << ", \"rival_gb_per_s\": " << c.result.theirs
            << ", \"ratio\": " << c.result.ratio << ", \"lowest_ratio\": " << c.result.lowest;
        if (c.target > 0) {
            out << ", \"target\": " << c.target
                << ", \"met\": " << (c.result.ratio >= c.target ? "true" : "false");
        }
        out << "}" << (i + 1 < contests_.size() ? "," : "") << '\n';
    }
    out << "  ],\n  \"lines\": [\n";
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const Line& line = lines_[i];
        out << "    {\"what\": \"" << line.what << "\", \"scheme\": \"" << line.scheme
            << "\", \"fragment_bytes\": " << line.fragment_bytes
            << ", \"cold\": " << (line.cold ? "true" : "false")
            << ", \"gb_per_s\": " << line.gb_per_s << "}" << (i + 1 < lines_.size() ? "," : "")
            << '\n';
    }
    out << "  ]\n}\n";
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace fragmend::bench
