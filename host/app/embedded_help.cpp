// What `fragmend demo --help` and `fragmend bench rebuild --help` say.
#include "host/app/embedded_command_line.hpp"

namespace fragmend::app {
namespace {

constexpr std::string_view demo_help =
    R"(usage: fragmend demo [OPTIONS]

Makes a whole cluster inside this process, with nothing installed, as any user: devices that are
folders, object servers on ports of the kernel's choice, Swift's own files. Fills it, wipes devices,
rebuilds them through the same code as the daemon, and compares every file with what was there:
name, bytes and metadata. Removes everything at the end.
)";

constexpr std::string_view bench_help =
    R"(usage: fragmend bench rebuild [OPTIONS]

Measures whole rebuilds of wiped devices in a cluster inside this process (see fragmend demo), round
after round, and beside them a plain program that only writes and syncs the same files. CPU is that
of the whole process: the reconstructor and all servers.

      --rounds N          default 3
      --out FILE          also leave the result there as JSON; replaced as a whole, at the end
)";

constexpr std::string_view cluster_help = R"(
The cluster:
      --policy K+M        data and parity fragments, default 4+2
      --ec-type TYPE      default isa_l_rs_cauchy, or liberasurecode_rs_vand where ISA-L is missing
      --devices N         default 8, or K+M where that is more
      --servers N         the devices are dealt out to them, default 4
      --part-power N      2^N partitions, default 5
      --no-fsync          servers do not sync what they write
      --delay MS          every answer of a server comes so much later, 0.2 for 200 us; a session is
                          one answer
      --dir DIR           make the cluster below DIR; default: the temporary folder, else /var/tmp,
                          else the folder you are in; needs user.* extended attributes there
      --keep              leave the cluster's folder behind and name it (with --json as "folder")

What is in it and what is lost:
)";

constexpr std::string_view demo_objects_help =
    R"(      --objects N         default 400, some of them posted to, deleted, or with odd names
      --bytes SIZES       default 0-4M; a size, a range, or a comma list of both that objects take
)";

constexpr std::string_view bench_objects_help =
    R"(      --objects N         default 2000
      --bytes SIZES       default 16K; a size, a range, or a comma list of both that objects take
)";

constexpr std::string_view common_help =
    R"(                          in turn, such as 16K,1M-8M (K, M, G)
      --wipe N            devices to lose, default 1, at most M
      --seed N            another ring and other objects, default 1

      --backend BACKEND   who decodes: auto (default), cpu, gpu or liberasurecode; with gpu it is
                          told if a GPU failed or did nothing
      --json              the result as one JSON object on standard output
      --progress WHEN     auto (default: when standard error is a terminal), always, never
  -v, --verbose           log to standard error what the reconstructor and the servers say
  -h, --help              this text

exit codes:
  0 everything is as it was, 1 something differs, or an internal error, 2 usage, or this machine
  lacks what was asked for, 3 not everything is back, or interrupted, 5 some objects have too few
  good fragments
)";

}  // namespace

std::string embedded_help_text(bool is_bench) {
    std::string text(is_bench ? bench_help : demo_help);
    text += cluster_help;
    text += is_bench ? bench_objects_help : demo_objects_help;
    return text + std::string(common_help);
}

}  // namespace fragmend::app
