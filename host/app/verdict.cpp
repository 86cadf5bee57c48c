// Judging a rebuilt cluster.
#include "host/app/verdict.hpp"

namespace fragmend::app {

Verdict verdict_of(const RebuildRun& run, const Findings& findings) {
    if (findings.lost.is_equal() && findings.elsewhere.empty()) return Verdict::as_it_was;
    if (!findings.lost.is_part() || !findings.elsewhere.empty()) return Verdict::different;
    if (run.stopped) return Verdict::stopped;
    return run.anything_unrecoverable() ? Verdict::unrecoverable : Verdict::incomplete;
}

ExitCode exit_code_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::as_it_was:
            return ExitCode::done;
        case Verdict::different:
            return ExitCode::internal_error;
        case Verdict::unrecoverable:
            return ExitCode::unrecoverable_objects;
        case Verdict::incomplete:
        case Verdict::stopped:
            break;
    }
    return ExitCode::work_remains;
}

std::string_view verdict_text(Verdict verdict) {
    switch (verdict) {
        case Verdict::as_it_was:
            return "everything is as it was";
        case Verdict::different:
            return "SOMETHING IS WRONG: files differ from what was there";
        case Verdict::incomplete:
            return "NOT EVERYTHING IS BACK: files are missing (-v says why)";
        case Verdict::unrecoverable:
            return "NOT EVERYTHING IS BACK: some objects have too few good fragments";
        case Verdict::stopped:
            break;
    }
    return "stopped before everything was back";
}

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::as_it_was:
            return "as_it_was";
        case Verdict::different:
            return "different";
        case Verdict::incomplete:
            return "incomplete";
        case Verdict::unrecoverable:
            return "unrecoverable";
        case Verdict::stopped:
            break;
    }
    return "stopped";
}

}  // namespace fragmend::app
