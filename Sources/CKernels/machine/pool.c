// Threads that split one job into numbered parts. The caller takes part; between jobs the workers spin for a while,
// because waking a sleeper costs 25–55 µs on a virtual machine and a spinning one 0.1–0.5 µs, and then sleep.
//
// Each thread begins with its own share of the parts, so that their memory stays in its cache, but whoever is done takes
// what others have not begun: a worker that sleeps or lost its processor holds nobody up. Which thread ran a part changes
// nothing about the part, so results do not depend on it.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CKernels.h"
#include "placement.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/// How long a thread spins before it sleeps: longer than the serial stretches between a decoder's parallel steps.
#define SPIN_NANOSECONDS 80000
/// What one cache line takes, and the one the processor fetches with it.
#define APART 128

struct part {
  _Alignas(APART) _Atomic uint64_t taken;  // the last job in which this part was begun
};

struct scratch { void *base; size_t bytes; };

struct worker {
  struct ck_pool *pool;
  int number;
  pthread_t handle;
  struct placement placement;
};

struct ck_pool {
  int threads;  // the caller included
  int running;  // workers that could be started
  struct worker *workers;
  struct part *parts;
  struct scratch *scratch;  // [threads + 1]
  pthread_mutex_t lock;
  void (*body)(void *context, int part, int thread);
  void *context;
  // The number of the job and its count of parts in one word: a late worker cannot mix the two of different jobs.
  _Alignas(APART) _Atomic uint64_t job;
  _Atomic bool over;
  _Alignas(APART) _Atomic uint32_t bell;  // changes with every job; workers sleep on it
  _Atomic uint32_t sleepers;
  _Alignas(APART) _Atomic uint32_t remaining;  // parts not finished; the caller sleeps on it
  _Atomic bool caller_sleeps;
#if !defined(__linux__)
  pthread_mutex_t sleep_lock;
  pthread_cond_t sleep_condition;
#endif
};

// Set while this thread runs a part, so that a job begun inside one runs there and then.
static _Thread_local bool inside;

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

static uint64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/// Sleeps unless *word is no longer `value`; may return early.
static void sleep_on(struct ck_pool *pool, _Atomic uint32_t *word, uint32_t value) {
#if defined(__linux__)
  (void)pool;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
  pthread_mutex_lock(&pool->sleep_lock);
  if (atomic_load(word) == value) pthread_cond_wait(&pool->sleep_condition, &pool->sleep_lock);
  pthread_mutex_unlock(&pool->sleep_lock);
#endif
}

static void wake(struct ck_pool *pool, _Atomic uint32_t *word) {
#if defined(__linux__)
  (void)pool;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
#else
  (void)word;
  pthread_mutex_lock(&pool->sleep_lock);
  pthread_cond_broadcast(&pool->sleep_condition);
  pthread_mutex_unlock(&pool->sleep_lock);
#endif
}

/// Begins the part if nobody has in this job.
static bool take(struct part *part, uint64_t number) {
  uint64_t last = atomic_load_explicit(&part->taken, memory_order_relaxed);
  return last < number && atomic_compare_exchange_strong(&part->taken, &last, number);
}

/// Runs the parts of a job that nobody else has begun, this thread's own before the others.
static void take_parts(struct ck_pool *pool, uint64_t job, int thread) {
  uint64_t number = job >> 16;
  int parts = (int)(job & 0xFFFF), first = thread * parts / pool->threads;
  for (int i = 0; i < parts; i++) {
    int part = (first + i) % parts;
    if (!take(&pool->parts[part], number)) continue;
    // From here the job cannot end before this part does, so its body and context stand.
    inside = true;
    pool->body(pool->context, part, thread);
    inside = false;
    if (atomic_fetch_sub(&pool->remaining, 1) == 1 && atomic_load(&pool->caller_sleeps)) wake(pool, &pool->remaining);
  }
}

/// Waits for a job other than `seen`.
static uint64_t next_job(struct ck_pool *pool, struct placement *placement, uint64_t seen) {
  for (;;) {
    placement_note(placement);
    uint64_t until = nanoseconds() + SPIN_NANOSECONDS;
    for (unsigned turn = 1;; turn++) {
      uint64_t job = atomic_load_explicit(&pool->job, memory_order_acquire);
      if (job != seen) return job;
      relax();
      if (turn % 32 != 0) continue;
      placement_note(placement);
      if (nanoseconds() > until) break;
    }
    // The caller writes the job, rings, then looks for sleepers; here the bell is read, the sleeper announced, then
    // the job looked for. Whichever comes first, either the caller sees the sleeper or the sleeper sees the job.
    placement_sleep(placement);
    uint32_t bell = atomic_load(&pool->bell);
    atomic_fetch_add(&pool->sleepers, 1);
    if (atomic_load(&pool->job) == seen) sleep_on(pool, &pool->bell, bell);
    atomic_fetch_sub(&pool->sleepers, 1);
  }
}

static void *work(void *argument) {
  struct worker *worker = argument;
  struct ck_pool *pool = worker->pool;
  placement_begin(&worker->placement);
  for (uint64_t seen = 0;;) {
    seen = next_job(pool, &worker->placement, seen);
    if (atomic_load(&pool->over)) return NULL;
    take_parts(pool, seen, worker->number);
  }
}

static void publish(struct ck_pool *pool, int parts) {
  uint64_t number = (atomic_load_explicit(&pool->job, memory_order_relaxed) >> 16) + 1;
  atomic_store(&pool->job, number << 16 | (uint64_t)parts);
  atomic_fetch_add(&pool->bell, 1);
  int processor = current_processor();
  for (int i = 0; i < pool->running && i + 1 < parts; i++) placement_steer(&pool->workers[i].placement, processor);
  if (atomic_load(&pool->sleepers) > 0) wake(pool, &pool->bell);
}

struct ck_pool *ck_pool_create(int threads) {
  if (threads < 1) threads = 1;
  if (threads > CK_POOL_LIMIT) threads = CK_POOL_LIMIT;
  struct ck_pool *pool = aligned_alloc(APART, (sizeof *pool + APART - 1) / APART * APART);
  if (!pool) return NULL;
  memset(pool, 0, sizeof *pool);
  pool->threads = threads;
  pool->workers = calloc((size_t)threads, sizeof *pool->workers);
  pool->scratch = calloc((size_t)threads + 1, sizeof *pool->scratch);
  size_t parts = (size_t)threads * CK_POOL_SHARE * sizeof *pool->parts;
  pool->parts = aligned_alloc(APART, parts);
  if (pool->parts) memset(pool->parts, 0, parts);
  pthread_mutex_init(&pool->lock, NULL);
#if !defined(__linux__)
  pthread_mutex_init(&pool->sleep_lock, NULL);
  pthread_cond_init(&pool->sleep_condition, NULL);
#endif
  if (!pool->workers || !pool->scratch || !pool->parts) {
    ck_pool_destroy(pool);
    return NULL;
  }
  // A thread that cannot be started is not missed: the others take its parts.
  for (int i = 1; i < threads; i++) {
    struct worker *worker = &pool->workers[pool->running];
    worker->pool = pool;
    worker->number = i;
    if (pthread_create(&worker->handle, NULL, work, worker) != 0) break;
    pool->running++;
  }
  return pool;
}

void ck_pool_destroy(struct ck_pool *pool) {
  atomic_store(&pool->over, true);
  if (pool->running) publish(pool, 0);
  for (int i = 0; i < pool->running; i++) pthread_join(pool->workers[i].handle, NULL);
  for (int i = 0; pool->scratch && i <= pool->threads; i++) free(pool->scratch[i].base);
  pthread_mutex_destroy(&pool->lock);
#if !defined(__linux__)
  pthread_mutex_destroy(&pool->sleep_lock);
  pthread_cond_destroy(&pool->sleep_condition);
#endif
  free(pool->workers);
  free(pool->scratch);
  free(pool->parts);
  free(pool);
}

int ck_pool_threads(struct ck_pool *pool) { return pool->threads; }

bool ck_pool_enter(struct ck_pool *pool) {
  if (inside) return false;
  pthread_mutex_lock(&pool->lock);
  return true;
}

void ck_pool_leave(struct ck_pool *pool) { pthread_mutex_unlock(&pool->lock); }

void ck_pool_run(struct ck_pool *pool, int parts, void (*body)(void *context, int part, int thread), void *context) {
  pool->body = body;
  pool->context = context;
  atomic_store_explicit(&pool->remaining, (uint32_t)parts, memory_order_relaxed);
  publish(pool, parts);
  take_parts(pool, atomic_load_explicit(&pool->job, memory_order_relaxed), 0);
  uint64_t until = 0;
  for (unsigned turn = 1; atomic_load_explicit(&pool->remaining, memory_order_acquire) > 0; turn++) {
    relax();
    if (turn % 32 != 0) continue;
    uint64_t now = nanoseconds();
    if (until == 0) until = now + SPIN_NANOSECONDS;
    if (now < until) continue;
    atomic_store(&pool->caller_sleeps, true);
    uint32_t left = atomic_load(&pool->remaining);
    if (left > 0) sleep_on(pool, &pool->remaining, left);
    atomic_store(&pool->caller_sleeps, false);
  }
}

// A Swift closure `(Int) -> Void` that does not outlive the call, in the two words that Swift passes it in.
typedef __attribute__((swiftcall)) void closure_body(intptr_t part, __attribute__((swift_context)) void *captured);
struct closure {
  closure_body *body;
  void *captured;
};

static void run_closure(void *context, int part, int thread) {
  (void)thread;
  struct closure *closure = context;
  closure->body(part, closure->captured);
}

/// ck_pool_run for a closure: not in the header, for Swift declares it with the closure's type (see ThreadPool.swift).
__attribute__((swiftcall)) void ck_pool_run_closure(struct ck_pool *pool, int32_t parts, closure_body *body,
                                                    void *captured);
void ck_pool_run_closure(struct ck_pool *pool, int32_t parts, closure_body *body, void *captured) {
  struct closure closure = {body, captured};
  ck_pool_run(pool, parts, run_closure, &closure);
}

void *ck_pool_scratch(struct ck_pool *pool, int slot, size_t bytes) {
  struct scratch *scratch = &pool->scratch[slot];
  if (scratch->bytes >= bytes) return scratch->base;
  // Whole huge pages where the system has them: first use of small ones runs at a tenth of the speed.
  size_t huge = (size_t)2 << 20, alignment = bytes >= huge ? huge : 4096;
  size_t size = (bytes + alignment - 1) / alignment * alignment;
  free(scratch->base);
  scratch->base = aligned_alloc(alignment, size);
  scratch->bytes = scratch->base ? size : 0;
#if defined(__linux__)
  if (scratch->base && alignment == huge) madvise(scratch->base, size, MADV_HUGEPAGE);
#endif
  return scratch->base;
}
