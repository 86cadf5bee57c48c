// Many sessions, one budget, random faults: every body is the truth or an error.
#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "fakes.hpp"

namespace fragmend::scheduler::testing {
namespace {

/// One object across all sessions that try it.
struct Job {
    RebuildRequest request;
    std::vector<std::uint32_t> left_out;
    Received received;
    bool recoverable = false;
    int tries = 0;
};

struct Session {
    Session(World& world, RebuildLimits limits, std::size_t ahead)
        : objects(world.ports(), limits, ahead) {}
    ReadAhead objects;
    std::vector<Job*> jobs;
    int turns = 0;
    bool dropped = false;
};

/// What a sender session does: push ahead, serve in order, drop everything on an error inside a
/// body.
Awaitable<void> serve(Session& session) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::size_t pushed = 0;
    for (Job* job : session.jobs) {
        while (pushed < session.jobs.size() && session.objects.has_room()) {
            session.objects.push(session.jobs[pushed]->request, session.jobs[pushed]->left_out);
            ++pushed;
        }
        ++job->tries;
        job->received = {};
        const Result<void> ready = co_await session.objects.ready();
        ObjectRebuild& front = session.objects.front();
        if (ready.has_error()) job->received.error = ready.error();
        while (!job->received.error && !job->received.ended) {
            const Result<ByteView> piece = co_await front.next();
            for (int turn = 0; turn < session.turns; ++turn)
                co_await yield(executor);
            if (piece.has_error()) {
                job->received.error = piece.error();
                session.dropped = !job->received.bytes.empty();
            } else if (piece.value().empty()) {
                job->received.ended = true;
            } else {
                auto& bytes = job->received.bytes;
                bytes.insert(bytes.end(), piece.value().begin(), piece.value().end());
            }
        }
        for (const Culprit& culprit : front.outcome().culprits) {
            job->left_out.push_back(culprit.device_id);
        }
        if (session.dropped) break;
        co_await session.objects.pop();
    }
    co_await session.objects.stop();
}

class Storm {
  public:
    explicit Storm(std::uint64_t seed) : random_(seed) {}

    std::uint64_t draw(std::uint64_t end) { return random_() % end; }
    bool chance(unsigned percent) { return draw(100) < percent; }

    Job make_job(World& world, const std::string& path) {
        const EcScheme scheme{"fake", chance(50) ? 3 : 5, 1 + static_cast<int>(draw(3))};
        FakeObject object;
        object.seed = random_();
        object.piece_bytes = 81 + draw(300);
        std::uint64_t length = object.piece_bytes * draw(7);
        if (length == 0 || chance(50)) length += 81 + draw(object.piece_bytes - 80);
        if (chance(5)) length = 0;
        if (!pieces_fit(length, object.piece_bytes)) length = object.piece_bytes;
        const auto wanted = static_cast<std::uint8_t>(draw(static_cast<unsigned>(scheme.n())));
        int good = 0;
        for (std::uint8_t index = 0; index < scheme.n(); ++index) {
            if (index == wanted) continue;
            if (chance(10)) {
                object.absent.insert(index);
            } else if (length > 0 && chance(20)) {
                object.faults[index] = make_fault(length);
            } else {
                ++good;
            }
        }
        Job job;
        job.request = world.add(path, object, length, wanted, scheme);
        // Sometimes the operator has changed the segment size.
        if (chance(10)) job.request.fragment_bytes = 81 + draw(300);
        job.recoverable = length == 0 || good >= scheme.k;
        return job;
    }

    Fault make_fault(std::uint64_t length) {
        using Kind = Fault::Kind;
        const Kind kinds[] = {Kind::open_fails, Kind::read_error,   Kind::short_body,
                              Kind::long_body,  Kind::flipped_byte, Kind::bad_header,
                              Kind::wrong_size, Kind::no_md5};
        return {kinds[draw(std::size(kinds))], draw(length), chance(30) ? 1 : 1 << 30};
    }

  private:
    std::mt19937_64 random_;
};

struct Tally {
    int objects = 0;
    int ended = 0;
    int dropped = 0;
    std::uint64_t replayed = 0;
};

void check(const World& world, const Job& job) {
    const Bytes truth = world.truth(job.request);
    const Received& received = job.received;
    if (received.ended) {
        EXPECT_EQ(received.bytes, truth) << job.request.object_path;
    } else {
        // Whatever went out: the receiver never has a whole body to commit.
        EXPECT_LT(received.bytes.size(), truth.size() + (truth.empty() ? 1 : 0));
    }
}

/// One process with several sessions at a time; jobs that failed come again in later sessions.
void run_world(Storm& storm, bool faulty_codec, std::optional<asio::any_io_executor> pool,
               Tally& tally) {
    DispatcherLimits dispatcher{1 + storm.draw(3), 1 + storm.draw(8), 1 + storm.draw(4000),
                                1 + storm.draw(20)};
    dispatcher.fill_survivors = 1 + storm.draw(16);
    const std::size_t budget = 64 * 1024 + storm.draw(128 * 1024);
    World world(budget, dispatcher, pool, storm.chance(50) ? budget : 0);
    world.source.turns_max = static_cast<int>(storm.draw(3));
    std::atomic<std::uint64_t> items = storm.draw(30);
    if (faulty_codec) {
        world.codec.sabotage = [&items](SegmentWork& work) {
            if (++items % 37 != 0) return;
            work.error = Error{errc::wrong_bytes, "cross-check"};
            work.outputs[0][0] ^= std::byte{1};
        };
    }
    RebuildLimits limits;
    limits.hold_back_bytes_max = storm.draw(1500);
    limits.output_slots = 1 + storm.draw(4);
    limits.input_sets = 1 + storm.draw(2);
    limits.attempts_max = 1 + static_cast<int>(storm.draw(4));
    std::deque<Job> jobs;
    for (int i = 0; i < 40; ++i) {
        jobs.push_back(storm.make_job(world, "/a/c/" + std::to_string(i)));
    }
    for (int pass = 0; pass < 8; ++pass) {
        std::deque<Session> sessions;
        for (int i = 0; i < 4; ++i) {
            sessions.emplace_back(world, limits, 1 + storm.draw(5)).turns =
                static_cast<int>(storm.draw(3));
        }
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (!jobs[i].received.ended) sessions[i % sessions.size()].jobs.push_back(&jobs[i]);
        }
        for (Session& session : sessions)
            world.tasks.spawn(serve(session));
        while (world.tasks.running() > 0) {
            if (pool) {
                world.io.restart();
                world.io.run_one();
            } else if (!world.step()) {
                break;
            }
        }
        ASSERT_EQ(world.tasks.running(), 0u) << "a session is stuck";
        for (const Session& session : sessions)
            tally.dropped += session.dropped;
        for (const Job& job : jobs)
            check(world, job);
    }
    for (const Job& job : jobs) {
        ++tally.objects;
        tally.ended += job.received.ended;
        if (job.recoverable && !faulty_codec) {
            EXPECT_TRUE(job.received.ended)
                << job.request.object_path << " was recoverable: "
                << (job.received.error ? to_string(*job.received.error) : "") << "\n"
                << world.sink.all();
        }
    }
    tally.replayed += world.stats.rounds_replayed;
    EXPECT_LE(world.budget.peak_bytes(), budget);
}

TEST(RebuildStorm, GivesTheTruthOrAnErrorAndRecoversWhatIsRecoverable) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("FRAGMEND_SEED=" + std::to_string(seed));
    Storm storm(seed);
    Tally tally;
    for (int i = 0; i < 30; ++i)
        run_world(storm, i % 3 == 2, {}, tally);
    EXPECT_EQ(tally.objects, 1200);
    // The storm must have been one: something failed, something was sent twice, much was rebuilt.
    EXPECT_GT(tally.ended, 300);
    EXPECT_LT(tally.ended, 1200);
    EXPECT_GT(tally.dropped, 0);
    EXPECT_GT(tally.replayed, 0u);
}

TEST(RebuildStorm, HoldsWithRealWorkerThreads) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("FRAGMEND_SEED=" + std::to_string(seed));
    asio::thread_pool threads(3);
    Storm storm(seed + 1);
    Tally tally;
    for (int i = 0; i < 6; ++i)
        run_world(storm, i % 3 == 2, threads.get_executor(), tally);
    EXPECT_GT(tally.ended, 50);
    threads.join();
}

Awaitable<void> cancel_after(Session& session, int turns) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < turns; ++turn)
        co_await yield(executor);
    session.objects.cancel();
    session.dropped = true;
}

TEST(RebuildStorm, CancelledSessionsLeaveNothingBehindAndDisturbNobody) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("FRAGMEND_SEED=" + std::to_string(seed));
    Storm storm(seed + 2);
    for (int i = 0; i < 60; ++i) {
        World world(64 * 1024, {1, 4, 100000, 8}, {}, 0);
        world.source.turns_max = 2;
        std::deque<Job> jobs;
        for (int j = 0; j < 16; ++j) {
            jobs.push_back(storm.make_job(world, "/a/c/" + std::to_string(j)));
        }
        std::deque<Session> sessions;
        for (int s = 0; s < 4; ++s)
            sessions.emplace_back(world, RebuildLimits{}, 3);
        for (std::size_t j = 0; j < jobs.size(); ++j)
            sessions[j % 4].jobs.push_back(&jobs[j]);
        for (Session& session : sessions)
            world.tasks.spawn(serve(session));
        for (std::size_t s = 1; s < 4; ++s) {
            world.tasks.spawn(cancel_after(sessions[s], static_cast<int>(storm.draw(60))));
        }
        world.run_until_idle();
        ASSERT_EQ(world.tasks.running(), 0u) << "a session is stuck";
        for (const Job& job : jobs)
            check(world, job);
        for (std::size_t j = 0; j < jobs.size(); j += 4)
            EXPECT_EQ(jobs[j].tries, 1);
    }
}

}  // namespace
}  // namespace fragmend::scheduler::testing
