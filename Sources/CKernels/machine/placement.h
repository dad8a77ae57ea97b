// Keeping a worker off the processor its caller runs on, without pinning either. Linux sometimes wakes a thread on a
// processor that is taken though another one idles, and leaves it there for milliseconds; two parts then run one after
// the other. So the caller forbids such a worker that processor, and the worker takes its freedom back once it runs.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#define ASLEEP -2

struct placement {
  _Atomic pid_t thread;
  _Atomic int processor;  // where it spins; ASLEEP when it does not
  _Atomic bool steered;
  cpu_set_t allowed;  // what to give back when steered
};

/// The processor this thread is on; −1 when unknown.
static int current_processor(void) { return sched_getcpu(); }

static void placement_begin(struct placement *placement) {
  atomic_store(&placement->processor, sched_getcpu());
  atomic_store(&placement->thread, gettid());
}

/// Notes where this worker is, and takes back what steering took.
static void placement_note(struct placement *placement) {
  int processor = sched_getcpu();
  if (atomic_load_explicit(&placement->processor, memory_order_relaxed) != processor)
    atomic_store(&placement->processor, processor);
  if (!atomic_load_explicit(&placement->steered, memory_order_acquire)) return;
  sched_setaffinity(0, sizeof placement->allowed, &placement->allowed);
  atomic_store(&placement->steered, false);
}

static void placement_sleep(struct placement *placement) { atomic_store(&placement->processor, ASLEEP); }

/// Sends a worker that sleeps or waits on `processor` somewhere else. Only the caller of a job does this.
static void placement_steer(struct placement *placement, int processor) {
  int at = atomic_load_explicit(&placement->processor, memory_order_relaxed);
  if (at != processor && at != ASLEEP) return;
  if (processor < 0 || processor >= CPU_SETSIZE || atomic_load(&placement->steered)) return;
  pid_t thread = atomic_load(&placement->thread);
  cpu_set_t others;
  if (thread == 0 || sched_getaffinity(thread, sizeof placement->allowed, &placement->allowed) != 0) return;
  others = placement->allowed;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(thread, sizeof others, &others) == 0)
    atomic_store_explicit(&placement->steered, true, memory_order_release);
}
#else
struct placement { char unused; };
static int current_processor(void) { return -1; }
static void placement_begin(struct placement *placement) { (void)placement; }
static void placement_note(struct placement *placement) { (void)placement; }
static void placement_sleep(struct placement *placement) { (void)placement; }
static void placement_steer(struct placement *placement, int processor) { (void)placement; (void)processor; }
#endif
