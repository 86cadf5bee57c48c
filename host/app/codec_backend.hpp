// `--backend` as a codec.
#pragma once

#include <memory>
#include <mutex>
#include <ostream>

#include "host/app/codec_command_line.hpp"
#include "host/base/log.hpp"
#include "host/codec/make_codec.hpp"

namespace fragmend::app {

/// A codec and, where it may use devices, the same codec with what it knows of them.
struct CodecHandle {
    std::unique_ptr<scheduler::Codec> codec;
    const codec::HybridCodec* hybrid = nullptr;
    std::string why_no_device;  ///< One line; empty when there is one.
};

/// What a command's user reads of devices that fail: a line each on `err`. Thread-safe.
class ErrorLines final : public LogSink {
  public:
    explicit ErrorLines(std::ostream& err) : err_(err) {}
    void write(LogLevel, std::string_view message) override {
        const std::lock_guard lock(mutex_);
        err_ << "fragmend: " << message << '\n';
    }

  private:
    std::mutex mutex_;
    std::ostream& err_;
};

/// `log` hears of devices that fail. Errors: unsupported_scheme, when a GPU was asked for and
/// there is none.
Result<CodecHandle> make_backend(Backend backend, const Clock& clock,
                                 const Logger& log = {nullptr, LogLevel::notice});

/// The schemes that `list` and `check` speak of: a common policy of each ec_type.
std::span<const codec::EcScheme> sample_schemes();

}  // namespace fragmend::app
